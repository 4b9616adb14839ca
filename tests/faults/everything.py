"""A folder with every kind of file and every fault, and what has to come out of it."""

import gzip
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PAGE = "<html><body><article>{}</article></body></html>"
SENTENCE = "Gunmen attacked the police post number {} at night and burned two vehicles, officials said on Monday."
FRENCH = "Le président a condamné l'attaque où dix soldats ont été tués, selon l'armée."


@dataclass(frozen=True)
class Expected:
    """What an input gives: how many rows, how many of them failed, and what is said of each failure, in order."""

    rows: int
    errors: tuple[str, ...] = ()


def parquet(columns, **options):
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, **options)
    return stream.getvalue()


def packed(data, packing):
    return {"": bytes, ".gz": lambda data: gzip.compress(data, 1), ".zst": zstd}[packing](data)


def zstd(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


def kinds(count):
    """Return the content of a file of each kind, with so many rows."""
    texts = [SENTENCE.format(n) for n in range(count)]
    objects = [{"id": n, "text": text} for n, text in enumerate(texts)]
    lines = "".join(json.dumps(row) + "\n" for row in objects)
    document = "\n\n".join(texts)
    page = PAGE.format("".join(f"<p>{text}</p>" for text in texts))
    contents = {
        **dict.fromkeys([".txt", ".md"], document),
        **dict.fromkeys([".html", ".htm"], page),
        **dict.fromkeys([".jsonl", ".ndjson"], lines),
        ".json": json.dumps(objects),
        ".csv": "id,text\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(texts)),
        ".tsv": "id\ttext\n" + "".join(f"{n}\t{text}\n" for n, text in enumerate(texts)),
    }
    return {kind: text.encode() for kind, text in contents.items()} | {".parquet": parquet({"text": texts})}


def damaged_group():
    data = bytearray(parquet({"text": [f"Row {n}." for n in range(3000)]}, row_group_size=1000, compression="zstd"))
    column = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(2).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    return bytes(data)


def named_elsewhere(data):
    """Return gzip data whose header gives the name of another file."""
    packed = bytearray(gzip.compress(data))
    packed[3] |= 8
    return bytes(packed[:10]) + b"../../../escaped.csv\0" + bytes(packed[10:])


def faults():
    """Yield name, content and what is expected of files that are damaged, odd or mean harm."""
    plain = kinds(3)
    torn = '{"text": "One."}\n\n{"text": \n[1]\n{"body": "x"}\n{"text": 7}\n{"text": null}\n{"text": ""}\n'
    said = ("line 3: not JSON", "line 4: expected an object", "line 5: no column 'text'", "line 6: expected text")
    yield "torn.jsonl", torn, Expected(7, said)
    yield "ragged.csv", "id,text\n1,One.\n2\n3,Three.,x\n", Expected(3, ("row 3: expected 2", "row 4: expected 2"))
    yield "unclosed.csv", 'id,text\n1,"' + "never closed,\n" * 1000, Expected(1)
    yield "cells.csv", '\ufeffid;text\r\n1;"Two\nlines; ""quoted"""\r\n2;=1+1\r\n', Expected(2)
    yield "no-column.csv", "id,body\n1,One.\n", Expected(0, ("no column 'text'",))
    yield "twice.tsv", "text\ttext\na\tb\n", Expected(0, ("more than one column is called 'text'",))
    yield "old-encoding.txt", FRENCH.encode("cp1252"), Expected(1)
    yield "no-encoding.txt", b"One. \xff\xff\xfe", Expected(0, ("byte 5 is not utf-8",))
    yield "later.csv", "text\nCafé.\n".encode() + b"One.\n" * 8 + b"\xff\n", Expected(9, ("byte 52 is not utf-8",))
    yield "picture.txt", b"\x89PNG\r\n\x1a\n\0\0\0", Expected(0, ("byte 0 is not utf-8",))
    yield "mojibake.md", FRENCH.encode().decode("cp1252"), Expected(1)
    yield "not.json", '{"text": "One."', Expected(0, ("not JSON",))
    yield "a-list.json", '[{"text": "One."}, 3, {"text": null}]', Expected(3, ("item 2: expected an object",))
    yield "deep.jsonl", '{"text": ' + "[" * 100_000 + "]" * 100_000 + "}", Expected(1, ("line 1: not JSON",))
    hostile = [
        "\x1b[31m\x9b2J",
        "Ten\0 killed",
        "\ud800",
        "\u202e killed \u2066",
        "=cmd|' /C calc'!A0",
        "x" * 10_000_000,
    ]
    yield "hostile.jsonl", "".join(json.dumps({"text": text}) + "\n" for text in hostile), Expected(6)
    entities = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'><!ENTITY c SYSTEM 'file:///etc/passwd'>]>"
    script = "<script>document.write('<p>Written by a script, which nobody runs.</p>')</script>"
    page = PAGE.format(f"<p>{SENTENCE} &b; &c; {script}</p>")
    yield "hostile.html", page, Expected(1)
    yield "entities.html", entities + page, Expected(0)  # a note says that no text was found
    long = b'{"text": "' + b" " * (257 << 20) + b'"}\n{"text": "One."}\n'
    yield "long.jsonl.gz", gzip.compress(long, 1), Expected(2, ("line 1: more than 256 MB",))
    yield "elsewhere.csv.gz", named_elsewhere(plain[".csv"]), Expected(3)
    yield "cut.csv.gz", gzip.compress(plain[".csv"])[:-9], Expected(3, ("the gzip data end early",))
    yield "cut.jsonl.zst", zstd(plain[".jsonl"])[:-9], Expected(0, ("the zstd data end early",))
    yield "cut.parquet", plain[".parquet"][:-9], Expected(0, ("no Parquet file, or a damaged one",))
    yield "none.parquet", b"PAR1" * 9, Expected(0, ("no Parquet file, or a damaged one",))
    yield "group.parquet", damaged_group(), Expected(2000, ("after row 2000 the Parquet file is damaged",))
    yield "not.txt.gz", plain[".txt"], Expected(0, ("the gzip data end early or are damaged",))
    yield "nothing.csv", b"", Expected(0)
    yield "nulls.parquet", parquet({"text": pa.array(["One.", None, ""]).dictionary_encode()}), Expected(3)


def build(folder, rows):
    """Fill a folder with files, the large ones with so many rows together; return what is expected of each."""
    expected = {}

    def put(name, data, gives):
        path = Path(folder, name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        expected[name] = gives

    for kind, data in kinds(3).items():
        for packing in ("", ".gz", ".zst"):
            put(f"kinds/a{kind}{packing}", packed(data, packing), Expected(3))
    for name, data, gives in faults():
        put(f"faults/{name}", data, gives)
    for n in range(200):
        put(f"tiny/{n:03}.txt", SENTENCE.format(n), Expected(1))
    large = {".csv": ".gz", ".jsonl": "", ".ndjson": ".zst", ".parquet": "", ".tsv": ""}
    share = kinds(rows // len(large))
    for kind, packing in large.items():
        put(f"large/rows{kind}{packing}", packed(share[kind], packing), Expected(rows // len(large)))
    Path(folder, "faults/gone.txt").symlink_to("nowhere")
    expected["faults/gone.txt"] = Expected(0, ("No such file or directory",))
    put("faults/closed.txt", "One.", Expected(0, ("Permission denied",)))
    Path(folder, "faults/closed.txt").chmod(0)
    os.mkfifo(Path(folder, "faults/pipe.txt"))  # would be waited for without end; what is no file is none to label
    return dict(sorted(expected.items()))
