import csv
import gzip
import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import paratype
from paratype import LABELS
from paratype.artifact import MANIFEST_FILE, MODEL_FILE
from paratype.batch import Report, label_files
from paratype.cli import app, main
from paratype.features import NgramFeatures
from paratype.progress import show_progress

SCRIPT = shutil.which("paratype", path=str(Path(sys.executable).parent))
DOCUMENT = "At least ten people were killed.\n\nThe team won the match.\n"
ADDED = ["source", "paragraph", "start", "end", "label", "score", "labels", "review"]


@pytest.fixture(autouse=True)
def work(folder, monkeypatch):
    """A folder to work in, beside the model's, with a document in it."""
    # Without a buffer, Python does not notice that a reader has gone while it wrote the last piece.
    settings = "FORCE_COLOR NO_COLOR TTY_COMPATIBLE COLUMNS PYTHONIOENCODING PYTHONUNBUFFERED GITHUB_ACTIONS"
    for name in settings.split():
        monkeypatch.delenv(name, raising=False)
    here = folder.parent / "work"
    here.mkdir()
    monkeypatch.chdir(here)
    write("a.txt", DOCUMENT)
    return here


def write(name, data):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())


def paratype_(*arguments, stdin=None):
    """Run the command line in this process."""
    return CliRunner().invoke(app, list(map(str, arguments)), input=stdin, catch_exceptions=False)


def script(*arguments, **options):
    """Run the installed command."""
    return subprocess.run(
        [SCRIPT, *map(str, arguments)], capture_output=True, timeout=60, check=False, **{"text": True, **options}
    )


@pytest.fixture
def label(folder):
    def label(*arguments, **options):
        return paratype_("label", "--model", folder, *arguments, **options)

    return label


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def unboxed(text):
    """Return a message without the frame that is drawn around it, on one line."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


# paratype label


def test_a_document_gives_a_row_for_each_paragraph(label):
    result = label("a.txt")
    first, second = lines(result.stdout)
    assert (first["label"], first["text"], first["source"]) == ("casualty_figure", DOCUMENT.splitlines()[0], "a.txt")
    assert (second["label"], second["labels"], second["error"]) == ("none", [], None)
    assert [DOCUMENT[row["start"] : row["end"]] for row in (first, second)] == [first["text"], second["text"]]
    assert [row["paragraph"] for row in (first, second)] == [0, 1]
    assert sum(first[f"p_{name}"] for name in LABELS) == pytest.approx(1, abs=1e-3)
    assert result.exit_code == 0


def test_only_results_go_to_standard_output(label):
    write("bad.jsonl", '{"text": "One."}\n{"text"\n')
    result = label("a.txt", "bad.jsonl", "missing.txt")
    assert len(lines(result.stdout)) == 4
    assert result.stderr.splitlines()[:2] == [
        "error: bad.jsonl: line 2: not JSON: Expecting ':' delimiter: line 2 column 1 (char 8)",
        "error: missing.txt: No such file or directory",
    ]
    summary = result.stderr.splitlines()[2]
    assert summary.startswith("4 rows from 2 files: ") and summary.endswith(", 2 failed")
    assert len(result.stderr.splitlines()) == 3


def test_the_labels_are_those_of_the_model(label, classifier):
    texts = ["We will strike your bases.", "", "Rockets struck the airport."]
    write("a.jsonl", "".join(json.dumps({"text": text}) + "\n" for text in texts))
    rows = lines(label("a.jsonl").stdout)
    for row, prediction in zip(rows, classifier.label_texts(texts), strict=True):
        assert (row["label"], row["labels"]) == (prediction.label, list(prediction.labels))
        assert (row["review"], row["score"]) == (prediction.review, pytest.approx(prediction.score, abs=1e-4))


def test_a_short_run_imports_nothing_that_it_does_not_need(folder):
    code = "import sys; from paratype.cli import app; app(sys.argv[1:], standalone_mode=False); print(*sys.modules)"
    command = [sys.executable, "-c", code, "label", "-q", "--model", str(folder), "a.txt", "-f", "jsonl"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(printed) == 3
    assert {"pandas", "sklearn", "onnxruntime", "datasets", "rich", "trafilatura"}.isdisjoint(printed[-1].split())


def test_one_row_comes_out_for_every_row_and_in_order(label):
    # More rows than go through the model at a time, every seventh of them torn.
    write("a.jsonl", "".join(f'{{"id": {n}, "text": "Row {n}."}}\n' if n % 7 else "torn\n" for n in range(5000)))
    write("b.csv", "id,text\n" + "".join(f'{n},"Row\n{n}."\n' if n % 7 else f"{n}\n" for n in range(5000)))
    result = label("a.jsonl", "b.csv", "a.txt", "-q")
    rows = lines(result.stdout)
    assert [row["source"] for row in rows] == ["a.jsonl"] * 5000 + ["b.csv"] * 5000 + ["a.txt"] * 2
    assert [row.get("id") for row in rows[:5000]] == [n if n % 7 else None for n in range(5000)]
    assert [row.get("id") for row in rows[5000:10000]] == [str(n) for n in range(5000)]
    assert all((row["label"] is None) == (row["error"] is not None) for row in rows)
    assert sum(row["label"] is None for row in rows) == 2 * 715
    assert result.exit_code == 1 and result.stderr.count("\n") == 2 * 715


def test_columns_of_the_input_are_kept_and_those_we_write_renamed(label):
    write(
        "a.jsonl", json.dumps({"id": 7, "label": "mine", "text": "One.", "score": "high", "tags": [1], "source": "x"})
    )
    (row,) = lines(label("a.jsonl").stdout)
    assert (row["id"], row["tags"], row["text"]) == (7, [1], "One.")
    assert (row["input_label"], row["input_score"], row["input_source"]) == ("mine", "high", "x")
    assert (row["label"] in LABELS, row["source"]) == (True, "a.jsonl")
    assert list(row)[:6] == ["id", "input_label", "text", "input_score", "tags", "input_source"]


def test_columns_of_a_row_that_failed_are_kept(label):
    write("a.jsonl", '{"id": 7, "label": "mine", "text": 5}')
    (row,) = lines(label("a.jsonl").stdout)
    assert (row["id"], row["input_label"], row["label"]) == (7, "mine", None)
    assert row["error"] == "line 1: expected text, got int"


def test_renaming_overwrites_no_column(label):
    write("a.jsonl", json.dumps({"text": "One.", "label": "mine", "input_label": "older"}))
    (row,) = lines(label("a.jsonl").stdout)
    assert {"mine", "older"} <= {value for value in row.values() if isinstance(value, str)}
    assert (row["input_input_label"], row["input_label"]) == ("mine", "older")


def test_text_column(label):
    write("a.csv", "body,text\nAt least ten people were killed.,other\n")
    (row,) = lines(label("a.csv", "--text-column", "body").stdout)
    assert (row["label"], row["body"], row["input_text"]) == (
        "casualty_figure",
        "At least ten people were killed.",
        "other",
    )


@pytest.mark.parametrize("name", ["label", "source", "error"])
def test_a_text_column_with_a_name_that_we_write_is_kept(label, name):
    write("a.csv", f"{name}\nAt least ten people were killed.\n")
    result = label("a.csv", "--text-column", name)
    assert "At least ten people were killed." in result.stdout
    (row,) = lines(result.stdout)
    assert row[f"input_{name}"] == "At least ten people were killed." and row["label"] == "casualty_figure"
    assert "ten people" in label("a.csv", "--text-column", name, "-f", "table").stdout
    assert "killed" not in label("a.csv", "--text-column", name, "--no-text").stdout


def test_a_text_column_that_is_renamed_overwrites_no_column(label):
    write("a.csv", "input_label,label,text\nolder,At least ten people were killed.,other\n")
    (row,) = lines(label("a.csv", "--text-column", "label").stdout)
    assert (row["input_label"], row["input_input_label"]) == ("At least ten people were killed.", "older")
    assert (row["input_text"], "text" in row) == ("other", False)


def test_a_text_column_that_looks_renamed_keeps_its_name(label):
    write("a.csv", "text,input_text\nother,At least ten people were killed.\n")
    (row,) = lines(label("a.csv", "--text-column", "input_text").stdout)
    assert (row["input_text"], row["input_input_text"]) == ("At least ten people were killed.", "other")


def test_a_table_shows_documents_and_the_text_column(label):
    write("b.csv", "body,text\nRockets struck.,other\n")
    shown = label("a.txt", "b.csv", "--text-column", "body", "-f", "table").stdout
    assert "ten people" in shown and "Rockets struck." in shown and "other" not in shown


def test_rows_of_a_table_are_numbered_through_their_file(label, monkeypatch):
    monkeypatch.setattr("paratype.batch._MOST_CHARACTERS", 10)
    for name in ("a.csv", "b.csv"):
        write(name, "text\nRow one.\nRow two.\nRow three.\n")
    shown = label("a.csv", "b.csv", "--format", "table").stdout
    assert [line.split()[0] for line in shown.splitlines() if "Row " in line] == ["0", "1", "2"] * 2


def test_numbers_that_json_does_not_have_are_not_written_back(label):
    write("a.jsonl", '{"text": "One.", "x": NaN}\n{"text": "Two."}\n')
    result = label("a.jsonl")
    assert "NaN" not in result.stdout.splitlines()[1] and result.exit_code == 1
    assert "error: a.jsonl: line 1: not JSON: NaN is no JSON number" in result.stderr
    for line in result.stdout.splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_a_table_shows_the_text_of_another_column(label):
    write("a.csv", "body\nAt least ten people were killed.\n")
    assert "ten people" in label("a.csv", "--text-column", "body", "-f", "table").stdout


@pytest.mark.parametrize("format", ["jsonl", "csv", "table"])
def test_no_text(label, format):
    write("a.jsonl", '{"id": 7, "text": "At least ten people were killed."}')
    write("b.csv", "id,body\n8,At least ten people were killed.\n")
    for arguments in (["a.txt", "a.jsonl"], ["b.csv", "--text-column", "body"]):
        result = label(*arguments, "--no-text", "-f", format)
        assert result.exit_code == 0 and "casualty_figure" in result.stdout
        assert "killed" not in result.stdout


def test_no_text_leaves_the_other_columns(label):
    write("a.jsonl", '{"id": 7, "text": "One."}')
    (row,) = lines(label("a.jsonl", "--no-text").stdout)
    assert "text" not in row and row["id"] == 7 and set(ADDED) <= set(row)


def test_encoding(label):
    write("a.csv", "text\nÖl.\n".encode("cp1252"))
    result = label("a.csv", "--encoding", "cp1252")
    assert result.exit_code == 0 and lines(result.stdout)[0]["text"] == "Öl."
    result = label("a.csv", "--encoding", "utf-8")
    assert result.exit_code == 3
    assert "error: a.csv: byte 5 is not utf-8; save the file as UTF-8, or name its encoding" in result.stderr
    result = label("a.csv")
    assert result.exit_code == 0 and lines(result.stdout)[0]["text"] == "Öl."
    assert result.stderr.splitlines()[0] == "note: a.csv: read as cp1252"
    assert label("a.csv", "-q").stderr == ""


@pytest.mark.parametrize("name", ["klingon", ""])
def test_an_unknown_encoding_is_wrong_usage(label, name):
    result = label("a.txt", "--encoding", name)
    assert result.exit_code == 2 and result.stdout == ""
    assert f"unknown encoding {name!r}; try auto, utf-8, cp1252, cp1256 or utf-16" in unboxed(result.stderr)


@pytest.mark.parametrize("name", ["hex", "rot13", "zlib", "undefined"])
def test_a_codec_that_is_no_text_encoding_is_wrong_usage(label, name):
    result = label("a.txt", "--encoding", name)
    assert result.exit_code == 2


def test_utf_16(label):
    write("a.csv", "text,id\r\nAt least ten people were killed Ċ.,1\r\n".encode("utf-16"))
    (row,) = lines(label("a.csv", "--encoding", "utf-16").stdout)
    assert (row["label"], row["text"]) == ("casualty_figure", "At least ten people were killed Ċ.")


def test_folders_are_searched(label):
    write("in/b.md", "One.")
    write("in/deep/a.csv", "text\nTwo.\n")
    write("in/.hidden.txt", "Three.")
    write("in/picture.png", b"\x89PNG")
    result = label("in", "./a.txt", "in/b.md", "a.txt", Path("a.txt").resolve())
    assert [row["source"] for row in lines(result.stdout)] == ["in/b.md", "in/deep/a.csv", "./a.txt", "./a.txt"]
    assert result.exit_code == 0


def test_standard_input_holds_text(label):
    first, second = lines(label("-", stdin=DOCUMENT).stdout)
    assert (first["source"], first["label"], second["label"]) == ("-", "casualty_figure", "none")


def test_standard_input_holds_json_lines(folder):
    rows = '{"id": 1, "text": "At least ten people were killed."}\n{"id": 2, "text": "One."}\n'
    result = script("label", "--model", folder, "-", input=rows)
    assert [row["id"] for row in lines(result.stdout)] == [1, 2] and result.returncode == 0


def test_all_kinds_of_files_are_mixed_in_one_call(label):
    text = "At least ten people were killed."
    for name in ("in/a.txt", "in/b.md.gz", "in/c.html", "in/d.jsonl.zst", "in/e.json", "in/f.csv.gz", "in/g.parquet"):
        kind = name.split(".")[1]
        data = {
            "html": f"<h1>{text}</h1>",
            "jsonl": json.dumps({"text": text}),
            "json": json.dumps([{"text": text}]),
            "csv": f"text\n{text}\n",
        }.get(kind, text)
        packing = name.split(".")[-1]
        write(
            name,
            {"gz": gzip.compress, "zst": lambda data: pa.compress(data, "zstd", True)}.get(packing, bytes)(
                data.encode()
            ),
        )
    pq.write_table(pa.table({"text": [text]}), "in/g.parquet")
    result = label("in", "-", stdin=text)
    rows = lines(result.stdout)
    assert [row["text"] for row in rows] == [text] * 8 and {row["label"] for row in rows} == {"casualty_figure"}
    assert (result.exit_code, rows[-1]["source"], rows[-2]["source"]) == (0, "-", "in/g.parquet")
    assert "8 rows from 8 files" in result.stderr


def test_types_of_parquet_survive(label):
    when = pa.array([1, None], pa.timestamp("ns", "UTC"))
    columns = {"text": ["One.", None], "when": when, "n": pa.array([1, 2], pa.int8()), "x": [[b"a"], []]}
    table = pa.table(columns).append_column("kind", pa.array(["a", "b"]).dictionary_encode())
    pq.write_table(table, "a.parquet")
    assert label("a.parquet", "-o", "out.parquet").exit_code == 0
    written = pq.read_table("out.parquet")
    assert written.select(table.column_names).equals(pq.read_table("a.parquet"))
    assert written["label"].null_count == 0


def test_progress_follows_what_is_labelled(folder, monkeypatch):
    # The document is read whole before its first paragraph is labelled.
    monkeypatch.setattr("paratype.batch._MOST_CHARACTERS", -1)
    write("long.txt", "\n\n".join(f"Shells hit post {n}." for n in range(300)))
    write("rows.jsonl", '{"text": "One."}\n' * 3)
    report = Report()
    labelling = label_files(["a.txt", "long.txt", "rows.jsonl"], paratype.load(folder), report=report, threads=1)
    done = [report.done for _ in labelling]
    assert done == sorted(done) and done[-1] == report.bytes
    assert 0.4 < done[151] / report.bytes < 0.6


def test_a_line_of_progress_has_rate_and_time_left(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    with show_progress(terminal, 100) as progress:
        for part in (10, 50, 90):
            progress(Report(source="a\x1b.txt", bytes=100, done=part, rows=part * 100))
            time.sleep(0.15)
    shown = terminal.getvalue()
    assert re.search(r"90%.*9,000 rows, [\d,]+ a second,.*0:00:\d\d.*left.*a \.txt", shown)


def test_a_strict_run_stops_and_writes_no_output(label):
    write("bad.jsonl", '{"text": "One."}\ntorn\n{"text": "Two."}\n')
    write("out.jsonl", "mine")
    for inputs in (["a.txt", "bad.jsonl", "missing.txt"], ["missing.txt", "a.txt"]):
        result = label(*inputs, "--strict", "-o", "out.jsonl", "--force")
        assert result.exit_code == 1 and Path("out.jsonl").read_text() == "mine"
        assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("error: ")
        assert label(*inputs, "--strict", "-o", "new.jsonl").exit_code == 1 and not Path("new.jsonl").exists()
        assert label(*inputs, "--strict").exit_code == 1
    assert not [path for path in Path().iterdir() if "out" in path.name and path.name != "out.jsonl"]
    assert label("a.txt", "--strict", "-o", "new.jsonl").exit_code == 0


def test_notes_are_told_unless_quiet(label):
    write("a.csv", "id;text\n1;caf\u00c3\u00a9\n")
    said = label("a.csv").stderr.splitlines()
    assert said[0] == "note: a.csv: read with semicolons between cells, where the column 'text' is"
    assert said[1].startswith("note: a.csv: has 'Ã©', which looks like UTF-8 that was once read as another encoding; ")
    assert label("a.csv", "-q").stderr == ""


# Formats and outputs


def test_json_lines_in_a_pipe(label):
    assert label("a.txt").stdout == label("a.txt", "--format", "jsonl").stdout == label("a.txt", "-f", "jsonl").stdout


@pytest.mark.parametrize("name", ["out.jsonl", "out.ndjson", "out.csv", "out.txt", "out.html"])
def test_the_suffix_decides_the_format(label, name):
    result = label("a.txt", "-o", name)
    format = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".txt": "table", ".html": "html"}[Path(name).suffix]
    assert result.exit_code == 0 and result.stdout == ""
    assert Path(name).read_text() == label("a.txt", "--format", format).stdout
    assert f"2 rows from 1 file written to {name}: " in result.stderr


def test_the_number_of_jobs_changes_nothing(label):
    write("a.jsonl", "".join(f'{{"id": {n}, "text": "Shells hit post {n}."}}\n' for n in range(20000)))
    outputs = []
    for jobs in (1, 2, 5):
        assert label("a.jsonl", "-o", f"{jobs}.jsonl", "--jobs", jobs).exit_code == 0
        outputs.append(Path(f"{jobs}.jsonl").read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]


@pytest.mark.parametrize("jobs", [0, -1, "many"])
def test_a_number_of_jobs_that_is_none_is_wrong_usage(label, jobs):
    assert label("a.txt", "--jobs", jobs).exit_code == 2


def test_parquet_holds_what_json_lines_hold(label):
    write(
        "a.jsonl", '{"id": 1, "text": "One.", "tags": ["x"]}\n{"id": 2.5, "body": 1}\n{"id": "three", "text": null}\n'
    )
    write("b.csv", "id,text\n4,Gunmen fired.\n")
    assert label("a.jsonl", "b.csv", "a.txt", "-o", "out.parquet").exit_code == 1
    table = pq.read_table("out.parquet")
    records = lines(label("a.jsonl", "b.csv", "a.txt").stdout)
    assert table["id"].to_pylist() == ["1", "2.5", "three", "4", None, None]
    for name in set(table.column_names) - {"id"}:
        assert table[name].to_pylist() == [record.get(name) for record in records], name
    assert table.schema.field("labels").type == pa.list_(pa.string())
    assert table.column_names[:3] == ["id", "text", "tags"]


def test_columns_of_later_rows_widen_a_parquet_table(label, monkeypatch):
    monkeypatch.setattr("paratype.batch._MOST_CHARACTERS", 0)  # so that every row is a batch
    values = ({}, {"n": 1}, {"n": 1.5}, {"n": []})
    write("a.jsonl", "".join(json.dumps({"text": "One.", **value}) + "\n" for value in values))
    assert label("a.jsonl", "-o", "out.parquet").exit_code == 0
    assert pq.read_table("out.parquet")["n"].to_pylist() == [None, "1", "1.5", "[]"]


def test_parquet_goes_to_a_pipe_too(folder):
    printed = script("label", "--model", folder, "a.txt", "-f", "parquet", text=False).stdout
    assert pq.read_table(io.BytesIO(printed)).num_rows == 2


def test_nothing_gives_an_empty_parquet_table(label):
    write("empty.jsonl", "")
    assert label("empty.jsonl", "-o", "out.parquet").exit_code == 0
    assert pq.read_table("out.parquet").num_rows == 0


def test_the_option_outdoes_the_suffix(label):
    assert label("a.txt", "--output", "out.csv", "--format", "jsonl").exit_code == 0
    assert len(lines(Path("out.csv").read_text())) == 2


def test_an_unknown_suffix_is_wrong_usage(label):
    result = label("a.txt", "-o", "out.xlsx")
    assert result.exit_code == 2 and not Path("out.xlsx").exists()
    assert (
        "cannot tell the format from 'out.xlsx'; end it in .jsonl, .csv, .parquet or .html, or give --format"
        in unboxed(result.stderr)
    )
    assert label("a.txt", "-o", "out.xlsx", "-f", "csv").exit_code == 0


def test_an_unknown_format_is_wrong_usage(label):
    assert label("a.txt", "--format", "xml").exit_code == 2


def test_csv_has_all_columns(label):
    write("b.jsonl", '{"id": 7, "text": "=1+1", "tags": ["x", "y"]}')
    header, *rows = csv.reader(io.StringIO(label("a.txt", "b.jsonl", "-f", "csv").stdout, newline=""))
    records = [dict(zip(header, row, strict=True)) for row in rows]
    assert [record["id"] for record in records] == ["", "", "7"]
    assert (records[2]["text"], records[2]["tags"]) == ("'=1+1", "x;y")
    assert (records[0]["labels"], records[0]["review"] in ("true", "false")) == ("casualty_figure", True)


def test_an_output_that_exists_is_kept(label):
    write("out.csv", "mine")
    result = label("a.txt", "-o", "out.csv")
    assert result.exit_code == 2 and Path("out.csv").read_text() == "mine"
    assert "out.csv exists; choose another name, or replace it with --force" in unboxed(result.stderr)


def test_an_output_that_exists_is_replaced_with_force(label):
    write("out.csv", "mine")
    assert label("a.txt", "-o", "out.csv", "--force").exit_code == 0
    assert Path("out.csv").read_text().startswith("source,paragraph,")


def test_an_output_that_is_an_input_is_wrong_usage(label):
    write("in/a.jsonl", '{"text": "One."}')
    for inputs in ("in", "in/a.jsonl"):
        result = label(inputs, "-o", "in/a.jsonl", "--force")
        assert result.exit_code == 2 and Path("in/a.jsonl").read_text() == '{"text": "One."}'
        assert "in/a.jsonl is among the inputs; write somewhere else" in unboxed(result.stderr)


def test_an_output_that_is_an_input_is_told_however_it_is_written(label):
    write("in/a.jsonl", '{"text": "One."}')
    Path("link.jsonl").symlink_to("in/a.jsonl")
    for output in ("./in/a.jsonl", "in/../in/a.jsonl", Path("in/a.jsonl").resolve(), "link.jsonl"):
        result = label("in", "-o", output, "--force")
        assert result.exit_code == 2 and "is among the inputs" in unboxed(result.stderr)
        assert Path("in/a.jsonl").read_text() == '{"text": "One."}'


def test_an_output_in_a_missing_folder_is_wrong_usage(label):
    result = label("a.txt", "-o", "missing/out.csv")
    assert result.exit_code == 2 and not Path("missing").exists()
    assert "the folder missing does not exist; make it first" in unboxed(result.stderr)


@pytest.mark.parametrize("output", ["folder.csv", "/proc/out.csv"])
def test_an_output_that_cannot_be_written_is_named(label, output):
    Path("folder.csv").mkdir()
    result = label("a.txt", "-o", output, "--force")
    assert result.exit_code == 2 and output in unboxed(result.stderr)


@pytest.mark.parametrize("output", ["/dev/null", "fifo.csv"])
def test_an_output_that_is_no_file_is_kept(label, output):
    os.mkfifo("fifo.csv")
    result = label("a.txt", "-o", output, "-f", "csv", "--force")
    assert result.exit_code == 2 and f"{output} is no file; name one to write" in unboxed(result.stderr)
    assert not Path(output).is_file()


def test_an_output_with_a_name_too_long_is_named(label):
    for length in (250, 300, 5000):
        result = label("a.txt", "-o", "o" * length + ".csv")
        assert result.exit_code == 2 and "cannot write ooo" in result.stderr and "name too long" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_without_permission_is_named(label):
    Path("closed").mkdir(mode=0o500)
    result = label("a.txt", "-o", "closed/out.csv")
    assert result.exit_code == 2 and "cannot write closed/out.csv: Permission denied" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("format", ["jsonl", "csv", "table"])
def test_a_standard_output_that_is_full_is_named(folder, format):
    with Path("/dev/full").open("w") as full:
        command = [SCRIPT, "label", "--model", str(folder), "a.txt", "-f", format]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert result.returncode == 2
    assert result.stderr == "error: cannot write standard output: No space left on device\n"


def test_nothing_but_the_output_is_left(label):
    label("a.txt", "-o", "out.csv")
    assert sorted(path.name for path in Path().iterdir()) == ["a.txt", "out.csv", "out.csv.run.json"]


def test_quiet(label):
    assert label("a.txt", "--quiet").stderr == label("a.txt", "-q").stderr == ""
    assert label("a.txt", "missing.txt", "-q").stderr == "error: missing.txt: No such file or directory\n"


@pytest.mark.parametrize("format", ["jsonl", "csv", "table"])
def test_no_colours_in_a_pipe(folder, format):
    result = script("label", "--model", folder, "a.txt", "missing.txt", "-f", format)
    assert result.returncode == 1 and "casualty_figure" in result.stdout
    assert "\x1b" not in result.stdout + result.stderr


def test_no_escapes_from_the_text_in_a_table(folder):
    write("b.txt", "At least ten people \x1b[31mwere killed\u202e.")
    result = script("label", "--model", folder, "b.txt", "-f", "table")
    assert "casualty_figure" in result.stdout
    assert "\x1b" not in result.stdout and "\u202e" not in result.stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_standard_output_is_utf_8_whatever_the_locale(folder, encoding):
    write("b.txt", "Öl في")
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    result = script("label", "--model", folder, "b.txt", env=environment, text=False)
    assert json.loads(result.stdout.decode("utf-8"))["text"] == "Öl في"
    (folder / "README.md").write_text("Öl في", "utf-8")
    assert script("show", folder, env=environment, text=False).stdout.decode("utf-8").endswith("Öl في\n")


def test_no_escapes_in_messages(folder):
    write("b.csv", "a\x1b[31m,b\nOne.,1\n")
    result = script("label", "--model", folder, "b.csv")
    assert "no column 'text'; columns: a [31m, b" in result.stderr


def test_a_terminal_gets_a_table_with_colours(folder):
    write("long.jsonl", "".join(f'{{"text": "At least {n} people were killed."}}\n' for n in range(50)))
    terminal, stream = pty.openpty()
    command = [SCRIPT, "label", "--model", str(folder), "a.txt", "long.jsonl"]
    environment = {**os.environ, "TERM": "xterm-256color"}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environment)
    os.close(stream)
    output = b""
    try:
        while data := os.read(terminal, 4096):
            output += data
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    assert child.wait(timeout=60) == 0
    assert b"\x1b[33m" in output and b"casualty_figure" in output and b"score" in output
    assert b"52 rows from 2 files" in output and b'{"source"' not in output


def test_a_closing_line_says_what_came_of_it(label):
    write("many.jsonl", '{"text": "At least ten people were killed."}\n' * 1200)
    closing = label("many.jsonl", "a.txt", "missing.txt", "-o", "out.csv").stderr.splitlines()[-1]
    assert closing.startswith("1,202 rows from 2 files written to out.csv: 1,201 casualty_figure, 1 none; ")
    assert closing.endswith(" to review, 1 failed")


# Exit codes


def main_(monkeypatch, *arguments):
    """Run the command line as the installed command does, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["paratype", *map(str, arguments)])
    with pytest.raises(SystemExit) as ending:
        main()
    return ending.value.code


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ZeroDivisionError("x\x1b"), "ZeroDivisionError: x ; this is a fault of Paratype's: paratype --debug label"),
        (MemoryError(), "out of memory; give fewer --jobs, or part the largest input"),
    ],
    ids=["fault", "memory"],
)
def test_a_fault_of_ours_is_a_message_and_with_debug_a_traceback(folder, monkeypatch, capsys, error, message):
    def broken(*_, **__):
        raise error

    monkeypatch.setattr("paratype.batch.label_files", broken)
    assert main_(monkeypatch, "label", "a.txt", "--model", folder) == 70
    said = capsys.readouterr().err
    assert said.startswith(f"error: {message}") and said.count("\n") == 1
    assert main_(monkeypatch, "--debug", "label", "a.txt", "--model", folder) == 70
    assert "in broken" in capsys.readouterr().err


def test_with_debug_a_refusal_says_where_it_came_up():
    plain = script("show", "nonesuch")
    result = script("--debug", "show", "nonesuch")
    assert result.returncode == plain.returncode == 4
    assert "Traceback" not in plain.stderr and "Traceback" in result.stderr
    assert result.stderr.startswith(plain.stderr)


def test_a_bad_file_among_good_ones_is_named(label):
    write("bad.csv", "body\nOne.\n")
    write("z.jsonl", '{"text": "One."}')
    result = label("a.txt", "bad.csv", "z.jsonl", "-o", "out.jsonl")
    assert result.exit_code == 1
    assert "error: bad.csv: no column 'text'; columns: body; name one with --text-column" in result.stderr
    assert [row["source"] for row in lines(Path("out.jsonl").read_text())] == ["a.txt", "a.txt", "z.jsonl"]


def test_a_bad_row_among_good_ones_is_named(label):
    write("a.jsonl", '{"text": "One."}\n[]\n{"text": "Two."}\n')
    result = label("a.jsonl")
    assert result.exit_code == 1
    assert "error: a.jsonl: line 2: expected an object, got list" in result.stderr
    assert [row["error"] for row in lines(result.stdout)] == [None, "line 2: expected an object, got list", None]


def test_inputs_without_rows_are_no_failure(label):
    write("empty.txt", "")
    write("empty.jsonl", "")
    write("empty.csv", "text\n")
    result = label("empty.txt", "empty.jsonl", "empty.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "0 rows from 3 files: nothing to label; 0 to review, 0 failed\n"


def test_a_folder_without_a_readable_file(label):
    write("in/picture.png", b"\x89PNG")
    result = label("in")
    assert (result.exit_code, result.stdout) == (3, "")
    kinds = ".txt .md .html .htm .jsonl .ndjson .json .csv .tsv .parquet, or these with .gz or .zst after that"
    assert result.stderr == f"error: no readable file in in; expected {kinds}\n"


@pytest.mark.parametrize("name", ["missing.txt", "picture.png", "bad.txt"])
def test_nothing_that_can_be_read(label, name):
    write("picture.png", b"\x89PNG")
    write("bad.txt", b"\xff\xfe\xfd")
    write("out.csv", "mine")
    result = label(name, "-o", "out.csv", "--force")
    assert result.exit_code == 3 and f"error: {name}: " in result.stderr
    assert Path("out.csv").read_text() == "mine"
    assert label(name).stdout == ""


def test_an_unknown_model_is_refused(label):
    result = paratype_("label", "a.txt", "--model", "nonesuch", "-o", "out.csv")
    assert result.exit_code == 4 and not Path("out.csv").exists()
    assert result.stderr.startswith("error: no model or folder called 'nonesuch'; shipped models:")


def test_a_damaged_model_is_refused(label, folder):
    (folder / MODEL_FILE).write_bytes(b"other")
    result = label("a.txt")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "the file is not the one in the manifest" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [["label"], ["label", "a.txt", "--nonesuch"], ["nonesuch"]])
def test_wrong_usage(arguments):
    result = paratype_(*arguments)
    assert result.exit_code == 2 and "Usage: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["a.txt"], 0),
        (["a.txt", "missing.txt"], 1),
        (["a.txt", "-o", "out.bin"], 2),
        (["missing.txt"], 3),
        (["a.txt", "--model", "nonesuch"], 4),
    ],
)
def test_exit_codes_of_the_installed_command(folder, arguments, code):
    result = script("label", "--model", folder, *arguments)
    assert result.returncode == code and "Traceback" not in result.stderr


INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from paratype.cli import main; main()"
)


@pytest.fixture
def interrupted(folder):
    """What a run says that is interrupted while it waits for its input, and its exit code."""
    Path("out").mkdir()
    command = [sys.executable, "-c", INTERRUPTIBLE, "label", "--model", str(folder), "-", "-o", "out/out.jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        child.stdin.write("One.\n")
        child.stdin.flush()
        deadline = time.monotonic() + 30
        while not os.listdir("out") and time.monotonic() < deadline:  # noqa: PTH208
            time.sleep(0.02)
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    return said, child.returncode


def test_an_interrupted_run_leaves_nothing(interrupted):
    said, code = interrupted
    assert code == 130 and "Traceback" not in said
    assert list(Path("out").iterdir()) == []


def test_an_interrupted_run_says_so(interrupted):
    said, _ = interrupted
    assert said.strip() == "interrupted; nothing was written to the output file"


def test_an_interrupted_run_to_standard_output_says_so(folder):
    command = [sys.executable, "-c", INTERRUPTIBLE, "label", "--model", str(folder), "-"]
    endless = subprocess.Popen(["yes", '{"text": "One."}'], stdout=subprocess.PIPE)
    pipes = {"stdin": endless.stdout, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with endless, subprocess.Popen(command, **pipes, text=True) as child:
        assert child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
        endless.kill()
    assert (said, child.returncode) == ("interrupted\n", 130)


@pytest.mark.parametrize("format", ["jsonl", "csv", "table"])
def test_a_reader_that_goes_away_is_no_error(folder, format):
    write("many.jsonl", "".join(f'{{"text": "At least {n} people were killed."}}\n' for n in range(1500)))
    command = [SCRIPT, "label", "--model", str(folder), "many.jsonl", "--format", format]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout.readline()
        child.stdout.close()
        said = child.stderr.read()
        child.wait(timeout=60)
    assert b"Traceback" not in said and b"Exception ignored" not in said
    assert child.returncode == 141 and said == b""


def test_a_reader_of_messages_that_goes_away_is_no_error(folder):
    write("many.jsonl", '{"text": 1}\n' * 5000)
    command = [SCRIPT, "label", "--model", str(folder), "many.jsonl", "-o", "out.jsonl"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as child:
        assert child.stderr.readline()
        child.stderr.close()
        assert child.wait(timeout=60) == 141


def test_a_reader_of_a_card_that_goes_away_is_no_error(folder):
    (folder / "README.md").write_text("A line.\n" * 50_000)
    with subprocess.Popen([SCRIPT, "show", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(timeout=60) == 141


CLOSED = [
    ("label - --model {0} <&-", 3, "error: -: Bad file descriptor"),
    ("label a.txt --model {0} >&-", 2, "error: cannot write standard output: Bad file descriptor"),
    ("label a.txt --model {0} --format parquet >&-", 2, "error: cannot write standard output: Bad file descriptor"),
    ("label a.txt --model {0} >&- 2>&-", 2, ""),
    ("label a.txt missing.txt --model {0} >rows 2>&-", 1, ""),
    ("label a.txt --model {0} >rows 2>/dev/full", 0, ""),
    ("label a.txt --model {0} -o rows --format jsonl <&- >&- 2>&-", 0, ""),
    ("label --nonesuch 2>&-", 2, ""),
    ("--help >&-", 2, "error: cannot write standard output: Bad file descriptor"),
    ("--version >/dev/full", 2, "error: cannot write standard output: No space left on device"),
    ("show {0} >/dev/full", 2, "error: cannot write standard output: No space left on device"),
]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(("command", "code", "said"), CLOSED)
def test_standard_streams_that_are_closed(folder, command, code, said):
    done = subprocess.run(
        ["sh", "-c", f"exec {SCRIPT} {command.format(folder)}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (code, "", said)
    if "rows" in command:
        labels = [line["label"] for line in lines(Path("rows").read_text())]
        assert labels == ["casualty_figure", "none"]


# The other commands


def test_show_a_folder(folder):
    (folder / "README.md").write_text("# A card\n\nWhat it is for.\n")
    result = paratype_("show", folder)
    assert result.exit_code == 0
    output = result.stdout.splitlines()
    assert output[0].split() == ["model", "small"]
    assert output[1].split(maxsplit=1) == ["labels", ", ".join(LABELS)]
    assert sum(line.startswith("threshold ") for line in output) == 4
    assert any(line.startswith("review ") for line in output)
    assert any(line.startswith("python ") for line in output)
    assert output[-4:] == ["", "# A card", "", "What it is for."]


def test_show_refuses_what_is_no_model(folder):
    (folder / MODEL_FILE).write_bytes(b"other")
    for name in (folder, "nonesuch"):
        result = paratype_("show", name)
        assert (result.exit_code, result.stdout) == (4, "") and result.stderr.startswith("error: ")


def test_show_a_folder_without_provenance(folder):
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    del manifest["provenance"]
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    assert paratype_("show", folder).exit_code in (0, 4)


@pytest.mark.parametrize("provenance", [None, [], "x"])
def test_show_a_folder_whose_provenance_is_none(folder, provenance):
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    (folder / MANIFEST_FILE).write_text(json.dumps({**manifest, "provenance": provenance}))
    assert paratype_("show", folder).exit_code in (0, 4)


def test_show_leaves_out_what_a_card_has_for_the_hub(folder):
    (folder / "README.md").write_text("---\nlicense: mit\n---\n\n# A card\n\n---\n\nMore.\n")
    output = paratype_("show", folder).stdout
    assert output.endswith("\n\n# A card\n\n---\n\nMore.\n") and "license" not in output


def test_show_says_what_a_model_asks_and_writes_provenance_plainly():
    output = paratype_("show", "auto").stdout
    assert re.search(r"^asks +fast, and accurate where fast is less sure than 0\.\d\d$", output, re.MULTILINE)
    assert re.search(r"^packages +joblib \d", output, re.MULTILINE)


def test_a_card_cannot_steer_a_terminal(folder):
    (folder / "README.md").write_bytes(b"# A \x1b[31mcard\xff\n\n    code\n")
    output = paratype_("show", folder).stdout
    assert output.endswith("\n# A  [31mcard\ufffd\n\n    code\n")


@pytest.fixture
def shipped(folder, monkeypatch):
    """The small model in place of the shipped ones, and one that has scores."""
    monkeypatch.setattr("paratype.artifact._artifacts", lambda: folder.parent)
    shutil.copytree(folder, folder.parent / "tiny")
    metrics = {"accuracy": 0.876, "macro_f1": 0.5, "data": "test split"}
    (folder.parent / "tiny" / "metrics.json").write_text(json.dumps(metrics))


def test_models_are_listed_with_size_and_scores(shipped):
    result = paratype_("models")
    small, tiny = result.stdout.splitlines()
    assert small.split() == ["small", *small.split()[1:3], "not", "scored"] and " MB " in small
    assert tiny.startswith("tiny ") and tiny.endswith("accuracy 0.88, macro-F1 0.50 (test split)")
    assert result.exit_code == 0


def test_shipped_models_go_by_their_names(shipped):
    assert paratype_("show", "tiny").stdout.splitlines()[0].split() == ["model", "tiny"]
    assert len(lines(paratype_("label", "a.txt", "--model", "tiny").stdout)) == 2


def test_models_of_the_installed_command():
    result = script("models")
    assert result.returncode == 0 and result.stderr == ""


@pytest.mark.parametrize(
    ("words", "offered"),
    [("paratype la", "label"), ("paratype label --model f", "fast"), ("paratype show a", "accurate")],
)
def test_a_shell_completes_commands_and_models(words, offered):
    setting = {"_PARATYPE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = script(env={**os.environ, **setting})
    assert offered in result.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed_for_a_shell(shell, tmp_path):
    result = script(env={**os.environ, "_PARATYPE_COMPLETE": f"source_{shell}"})
    assert result.returncode == 0 and "_PARATYPE_COMPLETE" in result.stdout
    output = unboxed(script("--help").stdout)
    assert "--install-completion" in output and "--show-completion" not in output


def test_version():
    assert paratype_("--version").stdout == f"paratype {paratype.__version__}\n"
    assert script("--version").stdout == f"paratype {paratype.__version__}\n"


def test_help_names_commands_options_and_exit_codes():
    output = unboxed(paratype_("--help").stdout)
    assert all(f" {name} " in output for name in ("label", "models", "show"))
    output = unboxed(script("label", "--help").stdout)
    options = ["--output", "--format", "--model", "--text-column", "--encoding", "--no-text", "--force", "--quiet"]
    assert all(f"{option} " in output for option in options)
    assert "Exit codes: 0 all done; 1 finished, but some inputs or rows failed" in output


def test_help_is_given_if_nothing_is_asked():
    assert "Usage: " in paratype_().output


# paratype label --review


def reviewed(path="review.csv"):
    with Path(path).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def many(name="many.jsonl", rows=300):
    words = "drone convoy harvest court border museum rocket talks coffee bridge hostage budget".split()
    texts = [f"{words[n % 12]} {words[n * 5 % 11]} {words[n * 7 % 9]} number {n}" for n in range(rows)]
    write(name, "".join(json.dumps({"text": text}) + "\n" for text in texts))


def test_rows_for_review_are_written_beside_the_output(label):
    many()
    result = label("many.jsonl", "-o", "out.jsonl", "--review", "review.csv", "--review-rows", "7")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == "7 rows most worth a person's eye written to review.csv"
    rows, out = reviewed(), {row["text"]: row for row in lines(Path("out.jsonl").read_text("utf-8"))}
    assert len(rows) == 7 and float(rows[0]["score"]) == min(row["score"] for row in out.values())
    for row in rows:
        answer = out[row["text"]]
        assert (row["label"], row["labels"], float(row["score"])) == (
            answer["label"],
            ";".join(answer["labels"]),
            answer["score"],
        )
    assert json.loads(Path("out.jsonl.run.json").read_text("utf-8"))["proposed"] == 7


def test_rows_for_review_are_the_same_with_any_jobs_and_way_out(label):
    many()
    label("many.jsonl", "a.txt", "-q", "--review", "one.csv", "--jobs", "1")
    label("many.jsonl", "a.txt", "-q", "--review", "two.csv", "--jobs", "3", "-o", "out.csv")
    label("many.jsonl", "a.txt", "-q", "--review", "three.csv", "--no-text", "-o", "out.parquet")
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes() == Path("three.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--review", "review.txt"], "--review writes CSV; end 'review.txt' in .csv"),
        (["--review", "none/review.csv"], "the folder none does not exist; make it first"),
        (["--review", "folder.csv"], "folder.csv is no file; name one to write"),
        (["--review", "out.csv", "-o", "out.csv"], "--review out.csv is where the output goes"),
        (["--review", "in.csv"], "in.csv is among the inputs"),
        (["--review", "old.csv"], "old.csv exists; choose another name, or replace it with --force"),
        (["--review", "old.csv", "-o", "out.csv"], "old.csv exists; choose another name, or replace it with --force"),
        (["--review", "r.csv", "--review-rows", "0"], "'--review-rows'"),
    ],
)
def test_a_review_file_that_cannot_be_is_wrong_usage(label, arguments, message):
    write("in.csv", "text\nOne.\n")
    write("old.csv", "mine")
    Path("folder.csv").mkdir()
    result = label("in.csv", *arguments)
    assert result.exit_code == 2 and message in unboxed(result.stderr)
    assert Path("old.csv").read_text() == "mine" and not Path("out.csv").exists()


def test_force_replaces_the_review_file(label):
    write("review.csv", "mine")
    assert label("a.txt", "--review", "review.csv", "--force").exit_code == 0
    assert len(reviewed()) == 2
    assert label("a.txt", "--review", "review.csv", "--force", "-o", "out.csv").exit_code == 0


def test_no_review_file_after_a_run_that_failed(label):
    write("bad.csv", "text\nOne.\nTwo,2\n")
    assert label("bad.csv", "--review", "review.csv", "-o", "out.csv", "--strict").exit_code == 1
    assert label("missing.csv", "--review", "review.csv").exit_code == 3
    assert not list(Path().glob("*review*")) and not list(Path().glob(".*review*"))


def test_types_of_ones_own_go_all_the_way(rows, tmp_path):
    texts, labels = rows
    own = [{"attack_report": "fighting", "none": "none"}.get(name, "talks and tolls") for name in labels]
    paratype.ParagraphClassifier(NgramFeatures(min_df=1, pair_bits=10), C=10).fit(texts, own).save(tmp_path / "own")
    result = paratype_("label", "a.txt", "--model", tmp_path / "own", "--review", "review.csv")
    first, second = lines(result.stdout)
    assert (first["label"], first["labels"], second["label"]) == ("talks and tolls", ["talks and tolls"], "none")
    assert {"p_fighting", "p_none", "p_talks and tolls"} <= set(first)
    unsure = [row["label"] for row in (first, second) if row["score"] < 1]
    assert unsure and sorted(row["said"] for row in reviewed()) == sorted(unsure)
    assert "talks and tolls" in paratype_("show", tmp_path / "own").stdout
