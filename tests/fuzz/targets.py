"""What is fuzzed: functions that take any bytes, and raise if a promise is broken.

A refusal that is promised (`Failure`, `ModelRefused`) is no error; any other exception is one.
"""

import contextlib
import functools
import io
import itertools
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import tokenizers

from paratype import ModelRefused, paragraphs
from paratype.artifact import MANIFEST_FILE, load_folder
from paratype.guard import check_network, check_tokenizer, load_plain
from paratype.reading import Failure, read_rows, sources
from tests.forge import save_words

CASES = Path(__file__).with_name("cases")


def rows_of(name, data, chunk):
    """Return the rows of a file of some bytes, read so many at a time, and what was said of it."""
    notes = []
    sources._open = lambda source: contextlib.nullcontext(io.BytesIO(data))
    sources._BYTES_PER_READ = chunk
    rows = []
    try:
        for row in read_rows(name, on_note=notes.append):
            rows.append(row)
    except Failure as failure:
        assert str(failure).startswith(f"{name}: "), failure
        notes.append(str(failure))
    return rows, notes


def check_rows(name, data):
    """The rows of a file are texts or named errors, and the same however its bytes come in."""
    rows, notes = rows_of(name, data, 1 << 16)
    for row in rows:
        assert row.source == name and isinstance(row.text, str)
        assert row.error is None or not row.text
        json.dumps(dict(row.columns), allow_nan=False)
    # Zeros tell two-byte letters only if they are in the first piece; compressed bytes before damage come in pieces.
    if b"\0" not in data and not name.endswith((".gz", ".zst")):
        assert rows_of(name, data, 3) == (rows, notes)
    return rows, notes


def check_documents(name, data):
    rows, _ = check_rows(name, data)
    assert [row.paragraph for row in rows] == list(range(len(rows)))
    spans = [(row.start, row.end) for row in rows]
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def check_json_lines(data):
    rows, _ = check_rows("a.jsonl", data)
    with contextlib.suppress(UnicodeDecodeError):
        lines = data.decode("utf-8-sig").split("\n")
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")) or b"\0" in data
        assert wide or len(rows) == sum(bool(line.strip()) for line in lines)


def check_parquet(data):
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(Failure):
            for row in read_rows(file.name):
                assert isinstance(row.text, str)
                json.dumps(dict(row.columns), allow_nan=False)


def check_paragraphs(data):
    """Paragraphs are in order, and together hold every character that is not white space."""
    document = data.decode("utf-8", "surrogateescape")
    position, outside = 0, ""
    for index, paragraph in enumerate(paragraphs(document)):
        assert paragraph.index == index and position <= paragraph.start < paragraph.end
        assert paragraph.text == " ".join(document[paragraph.start : paragraph.end].split()) != ""
        outside += document[position : paragraph.start]
        position = paragraph.end
    assert not (outside + document[position:]).strip()


# What a file that is only looked at has no reason to make Python do.
REACHING_OUT = ("open", "import", "exec", "compile", "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "mmap.")
watched = Counter()


def watch(event, arguments):
    if watched["now"] and event.startswith(REACHING_OUT):
        watched[f"{event} {arguments!r:.99}"] += 1


sys.addaudithook(watch)
with contextlib.suppress(ModelRefused):
    load_plain(b"")  # imports what it needs, once


def check_refused_or(check, data):
    """Whatever it is, a file of a model is refused or plain, and looking at it reaches for nothing else."""
    watched.clear()
    watched["now"] = 1
    try:
        return check(data)
    except ModelRefused as refusal:
        assert str(refusal)
    finally:
        watched["now"] = 0
        assert not +watched, dict(watched)


def check_pickle(data):
    content = check_refused_or(load_plain, data)
    assert content is None or type(content) is dict


def check_words(data):
    """A tokenizer that is let through can be opened, or says why not, and cuts a text."""
    check_refused_or(check_tokenizer, data)
    with contextlib.suppress(ModelRefused):
        check_tokenizer(data)
        try:
            opened = tokenizers.Tokenizer.from_str(data.decode())
            opened.encode("Ten people were killed \ufdfa.")
        except Exception:
            return


@functools.cache
def model_folder():
    """Return a folder with a small model, which is kept, and goes with the process."""
    folder = tempfile.TemporaryDirectory()
    save_words(Path(folder.name))
    return folder


def check_manifest(data):
    folder = Path(model_folder().name)
    (folder / MANIFEST_FILE).write_bytes(data)
    with contextlib.suppress(ModelRefused):
        load_folder(folder)


TARGETS = {
    "csv": lambda data: check_rows("a.csv", data),
    "gz": lambda data: check_rows("a.csv.gz", data),
    "html": lambda data: check_documents("a.html", data),
    "json": lambda data: check_rows("a.json", data),
    "jsonl": check_json_lines,
    "manifest": check_manifest,
    "network": lambda data: check_refused_or(check_network, data),
    "paragraphs": check_paragraphs,
    "parquet": check_parquet,
    "pickle": check_pickle,
    "stdin": lambda data: check_rows("-", data),
    "tokenizer": check_words,
    "tsv": lambda data: check_rows("a.tsv", data),
    "txt": lambda data: check_documents("a.txt", data),
    "zst": lambda data: check_rows("a.csv.zst", data),
}
