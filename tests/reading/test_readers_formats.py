"""Formats beside plain text: compressed files, web pages, JSON, Parquet, other delimiters, encodings, limits."""

import gzip
import io
import json
import random
import sys
import tracemalloc
from datetime import datetime, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from paratype.batch import Report, Stopped, label_files
from paratype.reading import Failure, Row, charset, find_files, limits, read_rows, sources

CONTENT = {
    "a.txt": "One.\n\nTwo.",
    "a.md": "One.\n\nTwo.",
    "a.html": "<p>One.</p><p>Two.</p>",
    "a.htm": "<p>One.</p><p>Two.</p>",
    "a.jsonl": '{"text": "One."}\n{"text": "Two."}',
    "a.ndjson": '{"text": "One."}\n{"text": "Two."}',
    "a.json": '[{"text": "One."}, {"text": "Two."}]',
    "a.csv": "text\nOne.\nTwo.\n",
    "a.tsv": "text\nOne.\nTwo.\n",
}
FRENCH = "Les rebelles ont attaqué le poste près de la frontière; dix civils ont été tués, a déclaré le général."


def packed(data, packing):
    data = data.encode() if isinstance(data, str) else data
    return {"": lambda: data, ".gz": lambda: gzip.compress(data), ".zst": lambda: pa.compress(data, "zstd", True)}[
        packing
    ]()


def parquet(columns, schema=None, **options):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), buffer, **options)
    return buffer.getvalue()


@pytest.fixture
def write(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    return write


@pytest.fixture
def read(write):
    def read(name, data, **options):
        return list(read_rows(write(name, data), **options))

    return read


@pytest.fixture
def notes():
    return []


def texts(rows):
    return [row.text for row in rows]


def taken(rows):
    """Return the rows before a fault, and what it says."""
    before = []
    with pytest.raises(Failure) as failure:
        before.extend(rows)
    return before, str(failure.value)


# Compressed files and folders


@pytest.mark.parametrize("packing", ["", ".gz", ".zst", ".GZ"])
@pytest.mark.parametrize("name", CONTENT)
def test_every_format_is_read_plain_and_compressed(read, name, packing):
    assert texts(read(name + packing, packed(CONTENT[name], packing.lower()))) == ["One.", "Two."]


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_parquet_is_read_plain_and_compressed(read, packing):
    counts = []
    data = packed(parquet({"text": ["One.", "Two."]}), packing)
    assert texts(read("a.parquet" + packing, data, on_bytes=counts.append)) == ["One.", "Two."]
    assert 0 < sum(counts) <= len(data)


def test_all_kinds_are_found_in_folders(write, tmp_path):
    names = [name + packing for name in [*CONTENT, "a.parquet"] for packing in ("", ".gz", ".zst")]
    for name in [*names, "a.pdf", "a.pdf.gz", "a.gz", ".a.txt.gz", "txt"]:
        write(f"in/{name}", b"")
    assert [Path(file).name for file in find_files([str(tmp_path / "in")])] == sorted(names)


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
def test_a_compressed_file_of_no_kind_is_refused(read, name):
    with pytest.raises(
        Failure, match=r"unknown kind of file 'without a suffix'; expected .*, perhaps with \.gz or \.zst"
    ):
        read(name, b"")


LINES = [f'{{"text": "Row {n}, {random.Random(n).random()}."}}\n' for n in range(20_000)]


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_rows_before_the_end_of_a_truncated_file_are_read(write, packing):
    data = packed("".join(LINES), packing)
    rows, said = taken(read_rows(write("a.jsonl" + packing, data[: len(data) // 2])))
    assert len(rows) > 4000 and texts(rows) == [json.loads(line)["text"] for line in LINES[: len(rows)]]
    assert f"a.jsonl{packing}: the {sources.COMPRESSIONS[packing]} data end early or are damaged: " in said
    assert f"get or make the file anew, or take {packing} off its name if it is not compressed" in said


@pytest.mark.parametrize("packing", [".gz", ".zst"])
@pytest.mark.parametrize("data", [b"", b"text\nOne.\n", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"])
def test_what_is_not_compressed_is_refused(read, packing, data):
    with pytest.raises(Failure, match=rf"a\.csv{packing}: the \w+ data end early or are damaged"):
        read("a.csv" + packing, data)


def test_bytes_flipped_in_a_gzip_file_are_told(write):
    data = bytearray(gzip.compress("".join(LINES).encode()))
    data[len(data) // 2] ^= 0xFF
    rows, said = taken(read_rows(write("a.jsonl.gz", bytes(data))))
    assert len(rows) > 4000 and "the gzip data end early or are damaged" in said


def test_several_members_are_one_file(read):
    assert texts(read("a.txt.gz", gzip.compress(b"One.\n\n") + gzip.compress(b"Two."))) == ["One.", "Two."]
    data = packed("One.\n\n", ".zst") + packed("Two.", ".zst")
    assert texts(read("a.txt.zst", data)) == ["One.", "Two."]


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_a_missing_compressed_file_says_so(tmp_path, packing):
    with pytest.raises(Failure, match="No such file or directory"):
        list(read_rows(str(tmp_path / f"a.csv{packing}")))


@pytest.fixture
def small_limits(monkeypatch):
    monkeypatch.setattr(limits, "LONGEST_TEXT", 1 << 20)
    monkeypatch.setattr(limits, "LONGEST_DOCUMENT", 2 << 20)
    monkeypatch.setattr(sources, "_MOST_DECOMPRESSED", 2 << 20)


def peak(run):
    tracemalloc.start()
    try:
        return run(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packing", [".gz", ".zst"])
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.json"])
def test_a_bomb_is_not_unpacked(write, small_limits, name, packing):
    path = write(name + packing, packed(b"a" * (64 << 20), packing))
    (_, said), most = peak(lambda: taken(read_rows(path)))
    assert f"{name}{packing}: more than 2 MB, too long for a document; part it" in said
    assert most < 16 << 20


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_a_bomb_without_a_line_end_is_a_row_with_an_error(write, small_limits, packing):
    path = write(
        "a.jsonl" + packing, packed(b'{"text": "One."}\n' + b"a" * (64 << 20) + b'\n{"text": "Two."}', packing)
    )
    rows, most = peak(lambda: list(read_rows(path)))
    assert [(row.text, row.error) for row in rows] == [
        ("One.", None),
        ("", "line 2: more than 1 MB"),
        ("Two.", None),
    ]
    assert most < 16 << 20


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"text\nOne.\n" + b"a" * (8 << 20), "line 3 has more than 1 MB; part it"),
        (b'text\nOne.\n"' + b"a\n" * (8 << 20), "row 3 has a cell of more than 1 MB; perhaps a quote is not closed"),
    ],
    ids=["line", "cell"],
)
def test_a_table_with_an_endless_cell_is_refused_after_the_rows_before(write, small_limits, data, said):
    (rows, message), most = peak(lambda: taken(read_rows(write("a.csv", data))))
    assert texts(rows) == ["One."] and said in message and most < 32 << 20


def test_a_paragraph_that_is_too_long_is_a_row_with_an_error(read, small_limits):
    one, two = read("a.txt", "One.\n\n" + "a" * (1 << 20) + "b")
    assert (one.error, two.error, two.text) == (None, "paragraph 1: more than 1 MB", "")


def test_a_text_that_is_too_long_is_a_row_with_an_error(read, small_limits):
    long = ["One.", "a" * ((1 << 20) + 1)]
    assert [row.error for row in read("a.parquet", parquet({"text": long}))] == [
        None,
        "row 2: the text has more than 1 MB",
    ]
    items = json.dumps([{"text": text} for text in long])
    assert [row.error for row in read("a.json", items)] == [None, "item 2: the text has more than 1 MB"]


def test_parquet_that_unpacks_to_too_much_is_refused(read, small_limits):
    data = parquet({"text": ["One."], "x": [random.Random(0).randbytes(3 << 20)]})
    with pytest.raises(Failure, match=r"a\.parquet\.gz: more than 4 GB when decompressed; decompress it yourself"):
        read("a.parquet.gz", gzip.compress(data, 1))


def test_a_document_of_endless_lines_is_refused(read, monkeypatch):
    monkeypatch.setattr(limits, "MOST_LINES", 1000)
    with pytest.raises(Failure, match=r"a\.txt: more than 1000 lines, too many for a document; part it"):
        read("a.txt", "\r" * 1001)


def test_standard_input_without_a_line_end_is_not_held(monkeypatch, small_limits):
    stdin = SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(b"a" * (32 << 20))))
    monkeypatch.setattr(sys, "stdin", stdin)
    (row,) = read_rows("-")
    assert row.error == "line 1: more than 1 MB"


def test_the_names_of_many_files_are_all_that_is_held(tmp_path):
    for folder in range(20):
        (tmp_path / str(folder)).mkdir()
        for file in range(250):
            (tmp_path / str(folder) / f"{file}.txt").touch()
    files, most = peak(lambda: sum(1 for _ in find_files([str(tmp_path)])))
    assert files == 5000 and most < 5000 * 400


# Web pages

PAGE = """<!DOCTYPE html><html><head><meta charset="{charset}"><title>t</title>
<script>var x = "<p>evil</p>";</script><style>p {{}}</style></head><body>
<article><h1>Militia warns &amp; waits</h1>
<p>Two drones were shot down late on Monday near an air base that houses advisers, <b>officials</b> said.</p>
<h2>No claim</h2><p>Die Behörde erklärte: &ldquo;no group&rdquo; had claimed the attack by the evening of that day.</p>
<table><tr><th>killed</th><th>hurt</th></tr><tr><td>four</td><td>six</td></tr></table></article>
<div id="comments" class="comments"><p>A comment by a reader that is long enough to be taken for text.</p></div>
</body></html>"""


@pytest.mark.parametrize("name", ["a.html", "a.htm", "a.HTML"])
def test_pages_are_cut_into_headings_and_paragraphs(read, name):
    rows = read(name, PAGE.format(charset="utf-8"))
    assert texts(rows)[:3] == [
        "Militia warns & waits",
        "Two drones were shot down late on Monday near an air base that houses advisers, officials said.",
        "No claim",
    ]
    assert texts(rows)[3].startswith("Die Behörde erklärte: “no group” had")
    assert not any(word in " ".join(texts(rows)) for word in ("evil", "comment", "---"))
    assert [row.paragraph for row in rows] == list(range(len(rows)))


def test_offsets_count_in_the_text_of_the_page(read):
    rows = read("a.html", PAGE.format(charset="utf-8"))
    assert [row.end - row.start for row in rows[:4]] == [len(row.text) for row in rows[:4]]
    assert [after.start - row.end for row, after in pairwise(rows)] == [2] * (len(rows) - 1)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-8", "utf-16"])
def test_pages_declare_their_encoding(read, encoding, notes):
    data = PAGE.format(charset=encoding).encode("cp1252" if encoding == "iso-8859-1" else encoding)
    assert texts(read("a.html", data, on_note=notes.append))[3].startswith("Die Behörde erklärte: “no group”")
    assert notes == []


def test_a_page_that_declares_a_wrong_encoding_is_guessed(read, notes):
    data = PAGE.replace("&ldquo;", "“").format(charset="ascii-7").encode("cp1252")
    assert texts(read("a.html", data, on_note=notes.append))[3].startswith("Die Behörde erklärte: “no group”")
    assert len(notes) == 1 and notes[0].endswith("a.html: read as cp1252")


def test_a_page_in_stateful_bytes_is_read_as_it_declares(read):
    page = '<meta charset="iso-2022-jp"><p>警察によると、攻撃で十人が死亡し、三十人が負傷した。</p>'
    assert texts(read("a.html", page.encode("iso-2022-jp"))) == ["警察によると、攻撃で十人が死亡し、三十人が負傷した。"]


def test_a_page_without_text_is_noted(read, notes):
    assert read("a.html", "<html><script>x</script></html>", on_note=notes.append) == []
    assert notes[0].endswith("a.html: no text was found in the page")
    assert read("b.html", "", on_note=notes.append) == [] and len(notes) == 1


SENTENCES = (
    "Ten people were killed in a raid on the market, officials said on Monday.  The road stays closed until May "
)


@pytest.mark.parametrize("reference", ["&#27;", "&#x1B", "&#0;", "&#x0000fffe;", "&#65535;", "&#00000000000000012;"])
def test_a_reference_to_no_character_costs_no_text(read, reference):
    first, second = read("a.html", "<p>" + SENTENCES.replace("  ", f" {reference} </p><p>") + "&#8212;&#233;.</p>")
    assert first.text.endswith("on Monday.") and second.text.endswith("—é.")


def test_pages_name_what_they_need(read, monkeypatch):
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(
        Failure, match=r"a\.html: web pages need another package \(.*\): pip install 'paratype\[html\]'"
    ):
        read("a.html", "<p>One.</p>")


def test_a_page_that_breaks_its_parser_is_named(read, monkeypatch):
    def extract(page, **options):
        raise RecursionError("too deep")

    monkeypatch.setitem(sys.modules, "trafilatura", SimpleNamespace(extract=extract))
    with pytest.raises(Failure, match=r"a\.html: no text could be taken out of the page: too deep; save it as text"):
        read("a.html", "<p>One.</p>")


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(page=st.text() | st.text("<>/pdivtable &;a\n\"='", max_size=200))
@example(page="<div>" * 5000 + "One.")
def test_any_page_is_read_or_refused(read, page):
    try:
        rows = read("a.html", page.encode("utf-8", "replace"))
    except Failure:
        return
    assert all(row.text for row in rows)


# JSON


def test_json_lists_keep_their_columns(read):
    rows = read("a.json", ' [ {"text": "One.", "id": 1, "x": {"y": [null]}} ,\n {"text": null} ] \n')
    assert [row.columns for row in rows] == [{"text": "One.", "id": 1, "x": {"y": [None]}}, {"text": None}]
    assert texts(rows) == ["One.", ""] and rows[0].paragraph is None


def test_a_json_object_is_a_row(read):
    (row,) = read("a.json", '{"text": "One.", "rows": [{"text": "no"}]}')
    assert (row.text, list(row.columns)) == ("One.", ["text", "rows"])


@pytest.mark.parametrize("data", ["", " \n", "[]", " [ ] "])
def test_json_without_items_has_no_rows(read, data):
    assert read("a.json", data) == []


def test_items_that_cannot_be_rows_are_named_and_the_others_read(read):
    rows = read("a.json", '[{"text": "One."}, 3, null, {"text": 5}, {"body": "x"}, {"text": "Two."}]')
    assert [row.error for row in rows] == [
        None,
        "item 2: expected an object, got int",
        "item 3: expected an object, got NoneType",
        "item 4: expected text, got int",
        "item 5: no column 'text'; columns: body; name one with --text-column",
        None,
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('{"rows": [{"text": "One."}]}', "got an object that holds a list in rows; save that list alone"),
        ('{"body": "One."}', "got one with body; name the column with --text-column"),
        ("{}", "got one with none; name the column"),
        ("3", "got int"),
        ('"One."', "got str"),
    ],
)
def test_json_that_is_no_table_is_refused(read, data, said):
    with pytest.raises(
        Failure, match=r"a\.json: expected a list of objects, or one object with the column 'text', "
    ) as f:
        read("a.json", data)
    assert said in str(f.value)


@pytest.mark.parametrize(
    "data", ["[", '[{"text": "One."}', '[{"text": "One."} {}]', "[1,]", "[1] 2", '{"a": NaN}', "[" * 100_000, "{,", "]"]
)
def test_torn_json_is_refused(write, data):
    rows, said = taken(read_rows(write("a.json", data)))
    assert "a.json: not JSON: " in said and all(row.text == "One." for row in rows if not row.error)


def test_json_lines_with_the_wrong_suffix_are_told(read):
    with pytest.raises(Failure, match=r"not JSON: Extra data.*; if each line is an object, end its name in \.jsonl"):
        read("a.json", '{"text": "One."}\n{"text": "Two."}\n')


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.fixed_dictionaries({"text": st.text()}, optional={"id": st.integers() | st.text()})),
    indent=st.none() | st.integers(0, 3),
)
def test_rows_survive_json(write, rows, indent):
    path = write("a.json", json.dumps(rows, indent=indent))
    assert list(read_rows(path)) == [Row(path, row["text"], row) for row in rows]


def test_columns_inside_others(read):
    line = '{"body": {"text": "One.", "x": {"y": "Deep."}}, "a": [{"b": "no"}], "c.d": "Two.", "c": {"d": "no"}}'
    for name in ("a.jsonl", "a.json"):
        assert texts(read(name, line, text_column="body.text")) == ["One."]
        assert texts(read(name, line, text_column="body.x.y")) == ["Deep."]
        assert texts(read(name, line, text_column="c.d")) == ["Two."]
        assert read(name, line, text_column="c.d")[0].columns == json.loads(line)
    for column in ("a.b", "a.0.b", "body.none", "body.text.x", ".", "body.", ".body"):
        (row,) = read("a.jsonl", line, text_column=column)
        assert row.error == f"line 1: no column {column!r}; columns: body, a, c.d, c; name one with --text-column"


def test_a_text_inside_a_column_is_left_out_if_it_is_not_kept(write, classifier):
    path = write("a.jsonl", '{"id": 7, "body": {"text": "Shells hit the port.", "lang": "en"}}')
    for keep, body in ((True, {"text": "Shells hit the port.", "lang": "en"}), (False, {"lang": "en"})):
        model = classifier.model_
        (labelled,) = label_files([path], model, report=Report(), text_column="body.text", keep_text=keep)
        (record,) = labelled.records()
        assert (record["id"], record["body"]) == (7, body)
        assert record.get("text") == ("Shells hit the port." if keep else None)
        assert labelled.table()["body"].to_pylist() == [body]


# Tables


@pytest.mark.parametrize(
    ("delimiter", "name"),
    [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")],
    ids=["semicolon", "tab", "bar"],
)
def test_other_delimiters_are_told_by_the_header(read, notes, delimiter, name):
    data = f'\n"id"{delimiter}text\n1{delimiter}"One, two{delimiter} three.\nFour."\n2{delimiter}Five.\n'
    rows = read("a.csv", data, on_note=notes.append)
    assert [row.columns for row in rows] == [
        {"id": "1", "text": f"One, two{delimiter} three.\nFour."},
        {"id": "2", "text": "Five."},
    ]
    assert len(notes) == 1
    assert notes[0].endswith(f"a.csv: read with {name} between cells, where the column 'text' is")


def test_a_comma_goes_before_other_delimiters(read, notes):
    assert read("a.csv", "text,b;text\nOne.,2\n", on_note=notes.append)[0].columns == {"text": "One.", "b;text": "2"}
    assert notes == []


def test_the_delimiter_of_tsv_is_not_guessed(read):
    with pytest.raises(Failure, match="no column 'text'; columns: id;text; name one"):
        read("a.tsv", "id;text\n1;One.\n")


def test_the_columns_of_a_wide_table_are_not_all_named(read):
    with pytest.raises(Failure, match=r"columns: c0, c1, .*, c29, and 970 more; name one with --text-column"):
        read("a.csv", ",".join(f"c{n}" for n in range(1000)) + "\n")


# Parquet

TEXT_TYPES = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]


@pytest.mark.parametrize("kind", TEXT_TYPES, ids=str)
def test_text_columns_of_parquet(read, kind):
    column = pa.array(["One.", None, "", "Zwölf.", "One."]).cast(kind)
    rows = read("a.parquet", parquet({"id": [1, 2, 3, 4, 5], "text": column}))
    assert texts(rows) == ["One.", "", "", "Zwölf.", "One."]
    assert dict(rows[3].columns) == {"id": 4, "text": "Zwölf."} and {row.error for row in rows} == {None}


def test_a_text_column_of_nulls(read):
    assert texts(read("a.parquet", parquet({"text": pa.nulls(3)}))) == [""] * 3


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"id": [1], "body": ["x"]}, "no column 'text'; columns: id, body; name one with --text-column"),
        ({"text": [1]}, "expected text in column 'text', got int64; name another one with --text-column"),
        ({"text": [["a"]]}, r"expected text in column 'text', got list<\w+: string>"),
        ({"text": [b"a"]}, "expected text in column 'text', got binary"),
    ],
)
def test_parquet_without_texts_is_refused(read, columns, said):
    with pytest.raises(Failure, match=rf"a\.parquet: {said}"):
        read("a.parquet", parquet(columns))


def test_parquet_with_two_columns_of_one_name_is_refused(read):
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 2, ["text", "text"]), buffer)
    with pytest.raises(Failure, match="more than one column is called 'text'; rename or drop them"):
        read("a.parquet", buffer.getvalue())


def test_parquet_without_rows(read):
    assert read("a.parquet", parquet({"text": pa.array([], pa.string())})) == []


@pytest.mark.parametrize("data", [b"", b"PAR1", b"no Parquet at all" * 9, parquet({"text": ["One."]})[:-20]])
def test_what_is_no_parquet_is_refused(read, data):
    with pytest.raises(Failure, match=r"a\.parquet: no Parquet file, or a damaged one: .*; get or make the file anew"):
        read("a.parquet", data)


def test_rows_before_a_damaged_row_group_are_read(write):
    data = bytearray(parquet({"text": [f"Row {n}." for n in range(3000)]}, row_group_size=1000, compression="zstd"))
    column = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(2).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    rows, said = taken(read_rows(write("a.parquet", bytes(data))))
    assert texts(rows) == [f"Row {n}." for n in range(2000)]
    assert "a.parquet: after row 2000 the Parquet file is damaged: " in said


def test_texts_of_parquet_that_are_no_utf8_are_named(read):
    column = pa.array([b"One.", b"\xff", b"Two."]).view(pa.string())
    rows = read("a.parquet", parquet({"text": column}))
    assert [(row.text, row.error) for row in rows] == [
        ("One.", None),
        ("", "row 2: the text is not utf-8"),
        ("Two.", None),
    ]


def test_parquet_is_read_as_its_rows_are_taken(write):
    value = random.Random(0).randbytes(100_000).hex()
    columns = {"text": ["One."] * 200, "big": [value + str(n) for n in range(200)]}
    path = write("a.parquet", parquet(columns, write_batch_size=10))  # the reader takes a page at a time
    counts = []
    before = pa.total_allocated_bytes()
    rows = read_rows(path, on_bytes=counts.append)
    next(rows)
    assert pa.total_allocated_bytes() - before < 64 << 20
    assert len(list(rows)) == 199


TYPED = pa.schema(
    [
        ("text", pa.large_string()),
        ("when", pa.timestamp("ns", "UTC")),
        ("day", pa.date32()),
        ("small", pa.int8()),
        ("price", pa.decimal128(9, 2)),
        ("tags", pa.list_(pa.string())),
        ("place", pa.struct([("lat", pa.float32()), ("lon", pa.float32())])),
        ("kind", pa.dictionary(pa.int8(), pa.string())),
        ("raw", pa.binary()),
        ("view", pa.string_view()),
        ("nothing", pa.null()),
        ("label", pa.uint16()),
        ("ratio", pa.float64()),
        ("wait", pa.duration("s")),
        ("clock", pa.time64("ns")),
        ("map", pa.map_(pa.string(), pa.int16())),
    ]
)
TYPED_ROW = {
    "text": "Shells hit the port.",
    "when": 1_700_000_000_000_000_001,
    "day": datetime(2024, 3, 14, tzinfo=timezone.utc).date(),
    "small": 7,
    "price": Decimal("12.50"),
    "tags": ["a", None],
    "place": {"lat": 1.5, "lon": None},
    "kind": "x",
    "raw": b"\xff\x00",
    "view": "seen",
    "nothing": None,
    "label": 3,
    "ratio": float("nan"),
    "wait": 5,
    "clock": 1,
    "map": [("k", 1)],
}


def typed(count):
    rows = [{**TYPED_ROW, "small": n} if n % 5 else dict.fromkeys(TYPED_ROW) for n in range(count)]
    arrays = [pa.array([row[field.name] for row in rows], field.type) for field in TYPED]
    return pa.Table.from_arrays(arrays, schema=TYPED)


def test_types_of_parquet_survive(write, classifier):
    table = typed(50)
    path = write("a.parquet", b"")
    pq.write_table(table, path, row_group_size=20)
    (labelled,) = label_files([path], classifier.model_, report=Report())
    written = labelled.table()
    names = {name: "input_label" if name == "label" else name for name in TYPED.names}
    stored = pq.read_table(path)
    for name, name_here in names.items():
        assert written[name_here].type == stored[name].type, name
        assert written[name_here].combine_chunks().equals(stored[name].combine_chunks()) or name == "ratio"
    assert written.column_names[: len(names)] == list(names.values())


def test_values_of_parquet_are_plain_in_records(write, classifier):
    path = write("a.parquet", b"")
    pq.write_table(typed(2), path)
    (labelled,) = label_files([path], classifier.model_, report=Report())
    empty, full = labelled.records()
    assert empty["small"] is None and empty["error"] is None
    assert empty["label"] == classifier.label_texts([""])[0].label
    expected = {
        "when": "2023-11-14T22:13:20.000000001Z",
        "day": "2024-03-14",
        "small": 1,
        "price": "12.50",
        "tags": ["a", None],
        "place": {"lat": 1.5, "lon": None},
        "kind": "x",
        "raw": "/wA=",
        "ratio": None,
        "clock": "00:00:00.000000001",
        "input_label": 3,
        "map": [["k", 1]],
    }
    assert {name: full[name] for name in expected} == expected
    json.dumps(full, allow_nan=False)


def test_odd_values_of_parquet_are_plain(read):
    beyond = pa.array([[2**62]], pa.list_(pa.timestamp("ms")))
    nano = pa.array([{"t": 1}], pa.struct([("t", pa.timestamp("ns"))]))
    bad = pa.array([b"\xff"]).view(pa.string())
    (row,) = read("a.parquet", parquet({"text": ["One."], "beyond": beyond, "nano": nano, "bad": bad}))
    json.dumps(dict(row.columns), allow_nan=False)


def test_rows_of_several_kinds_fit_in_one_table(write, classifier):
    pq.write_table(typed(10), write("a.parquet", b""))
    paths = [
        write("a.csv", "small,text\n1,One.\n"),
        write("a.parquet", Path(write("b/a.txt", "")).read_bytes()),
        write("c.txt", "A paragraph."),
    ]
    pq.write_table(typed(10), paths[1])
    (labelled,) = label_files(paths, classifier.model_, report=Report())
    table, records = labelled.table(), list(labelled.records())
    assert table.num_rows == len(records) == 12
    assert table["text"].to_pylist()[0] == "One." and table["text"].to_pylist()[-1] == "A paragraph."
    assert table["small"].to_pylist()[0] == "1" and table["when"].type == pa.timestamp("ns", "UTC")


VALUES = st.one_of(
    st.tuples(st.just(pa.int16()), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just(pa.timestamp("us")), st.datetimes()),
    st.tuples(st.just(pa.list_(pa.bool_())), st.lists(st.booleans(), max_size=3)),
    st.tuples(st.just(pa.binary()), st.binary(max_size=5)),
    st.tuples(st.just(pa.float32()), st.floats(width=32)),
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9), min_size=1, max_size=9),
    value=VALUES,
    group=st.integers(1, 5),
    kind=st.sampled_from(TEXT_TYPES),
)
def test_rows_survive_parquet(write, classifier, rows, value, group, kind):
    path = write("a.parquet", b"")
    table = pa.table({"text": pa.array(rows).cast(kind), "x": pa.array([value[1]] * len(rows), value[0])})
    pq.write_table(table, path, row_group_size=group)
    assert texts(read_rows(path)) == [text or "" for text in rows]
    (labelled,) = label_files([path], classifier.model_, report=Report())
    assert labelled.table()["x"].type == value[0]
    assert str(labelled.table()["x"].to_pylist()) == str(table["x"].to_pylist())
    assert labelled.answers["label"].null_count == 0


# Encodings

WORLD = {
    "cp1252": ["“We won’t leave” – officials said.", FRENCH, "Der Angriff bei München tötete fünf Männer.", "Öl."],
    "cp1250": ["Wojsko poinformowało, że w ataku zginęło dziesięć osób.", "Radovan Karadžić and Ratko Mladić."],
    "cp1251": ["В результате нападения погибли десять человек, сообщила полиция."],
    "koi8-r": ["В результате нападения погибли десять человек, сообщила полиция."],
    "cp1253": ["Δέκα άνθρωποι σκοτώθηκαν στην επίθεση, ανακοίνωσε η αστυνομία."],
    "cp1254": ["Saldırıda on kişi öldü, otuz kişi yaralandı."],
    "cp1255": ["עשרה בני אדם נהרגו בפיגוע, מסרה המשטרה. הארגון איים לבצע פיגועים נוספים."],
    "cp1256": ["قتل عشرة أشخاص في هجوم على قاعدة عسكرية شمال البلاد، حسبما أعلنت الشرطة."],
    "gb18030": ["警方表示，袭击造成十人死亡，三十人受伤。该组织威胁要发动更多袭击。"],
    "euc-jp": ["警察によると、攻撃で十人が死亡し、三十人が負傷した。"],
    "cp949": ["경찰은 공격으로 10명이 사망하고 30명이 다쳤다고 밝혔다."],
    "utf-16-le": ["Ten people were killed."],
    "utf-16-be": ["Ten people were killed."],
}
CASES = [(encoding, text) for encoding, some in WORLD.items() for text in some]


@pytest.mark.parametrize(("encoding", "text"), CASES)
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_other_encodings_are_told_and_noted(read, notes, name, encoding, text):
    data = {"a.txt": text, "a.csv": f'text\nOne.\n"{text}"\n', "a.jsonl": f'{{"text": "One."}}\n{{"text": "{text}"}}'}
    rows = read(name, data[name].encode(encoding), on_note=notes.append)
    assert texts(rows)[-1] == text
    assert len(notes) == 1 and notes[0].endswith(f"{name}: read as {encoding}")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_tells_the_encoding(read, notes, encoding):
    assert texts(read("a.csv", f'text\n"{FRENCH}"\n'.encode(encoding), on_note=notes.append)) == [FRENCH]
    assert notes == []


@pytest.mark.parametrize(
    ("data", "byte"),
    [
        ("ministr řekl".encode("cp1250"), 8),
        (b"One. \xff\xff\xfe", 5),
        ("Ça é. ".encode() + b"\xe9", 8),
        ("One. “Two”".encode()[:-1], 11),
        (b"One. caf\xc3\xa9 \xe9t\xe9", 11),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", 0),
    ],
)
def test_bytes_that_are_not_certain_are_refused(read, data, byte):
    with pytest.raises(
        Failure, match=rf"a\.txt: byte {byte} is not utf-8.*; save the file as UTF-8, or name its encod"
    ):
        read("a.txt", data)


def test_a_guess_is_given_up_where_it_fails(write):
    data = f'text\n"{FRENCH}"\n'.encode("cp1252") * 50_000
    rows, said = taken(read_rows(write("a.csv", data + b"One \x81 two.\n")))
    assert texts(rows)[0] == FRENCH and len(rows) == 2 * 50_000 - 1
    assert f"a.csv: byte {len(data) + 4} is not cp1252; save the file" in said


def test_a_control_character_ends_a_guess(write):
    data = f'text\n"{FRENCH}"\n'.encode("cp1252") * 50_000
    _, said = taken(read_rows(write("a.csv", data + b"One \x01 two.\n")))
    assert f"a.csv: byte {len(data) + 4} is a control character in cp1252, which is thus not certain; " in said


def test_a_first_wrong_byte_far_into_a_table(read, notes):
    data = b"text\n" + b"One.\n" * 100_000 + f'"{FRENCH}"\n'.encode("cp1252")
    rows = read("a.csv", data, on_note=notes.append)
    assert (len(rows), rows[-1].text, len(notes)) == (100_001, FRENCH, 1)


def test_an_encoding_that_is_named_is_not_checked(read):
    assert texts(read("a.txt", "Привет".encode("cp1251"), encoding="cp1252")) == ["Ïðèâåò"]


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=200))
def test_a_guess_can_be_decoded(data):
    name = charset.guess_encoding(data)
    assert name is None or "".join(line for line in data.decode(name).splitlines() if not line.isascii())


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_utf8_is_never_read_as_something_else(read, text):
    notes = []
    rows = read("a.jsonl", json.dumps({"text": text}, ensure_ascii=False).encode(), on_note=notes.append)
    assert texts(rows) == [text]
    assert not any("read as" in note and "was once read as" not in note for note in notes)


MOJIBAKE = [FRENCH, "We won’t", "قتل عشرة أشخاص", "погибли десять", "“No”", "עשרה בני אדם"]


@pytest.mark.parametrize("text", MOJIBAKE)
def test_likely_mojibake_is_noted_once_and_left(read, notes, text):
    wrong = text.encode().decode("latin-1")
    rows = read("a.jsonl", f"{json.dumps({'text': wrong})}\n" * 3, on_note=notes.append)
    assert texts(rows) == [wrong] * 3
    assert len(notes) == 1 and "which looks like UTF-8 that was once read as another encoding" in notes[0]


@pytest.mark.parametrize(
    "text", [*(text for some in WORLD.values() for text in some), "NÃO", "SÃO PAULO, ÂMBITO", "5 × 3"]
)
def test_proper_text_is_no_mojibake(read, notes, text):
    read("a.txt", text, on_note=notes.append)
    assert notes == []


# Strict runs, nulls and blanks


def test_nulls_and_blanks_are_rows(write, classifier):
    files = [
        write("a.jsonl", '{"text": null}\n{"text": ""}\n{"text": "  "}'),
        write("a.csv", 'text,id\n"",1\n"  ",2\n'),
        write("a.parquet", parquet({"text": [None, "", " "]})),
        write("a.json", '[{"text": null}]'),
    ]
    report = Report()
    (labelled,) = label_files(files, classifier.model_, report=report)
    assert [row.error for row in labelled.rows] == [None] * 9 and report.failures == []
    assert labelled.answers["label"].null_count == 0


@pytest.mark.parametrize("bad", ['{"text": "One."}\ntorn\n', "missing"])
def test_a_strict_run_stops_at_the_first_failure(write, classifier, bad, tmp_path):
    first = write("a.txt", "One.")
    second = write("b.jsonl", bad) if bad != "missing" else str(tmp_path / "missing.txt")
    report = Report()
    with pytest.raises(Stopped):
        list(label_files([first, second, write("c.jsonl", "torn")], classifier.model_, report=report, strict=True))
    assert len(report.failures) == 1 and second in report.failures[0]
