import gzip
import hashlib
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import paratype
from paratype import ParagraphClassifier
from paratype.batch import Place
from paratype.cli import app
from paratype.features import NgramFeatures
from paratype.reading import Row
from paratype.runs.journal import Journal
from paratype.runs.lock import locked_folder

OUTPUTS = ["out.jsonl", "out.csv", "out.tsv", "out.parquet", "out.txt", "out.html", "out.jsonl.gz", "out.csv.zst"]
TEXTS = ["At least ten people were killed.", "=We will strike your bases.", "", "The team won the match."]


@pytest.fixture(autouse=True)
def work(folder, monkeypatch):
    """A folder to work in, beside the model's, with inputs in it; each of their rows is a batch."""
    for name in ("FORCE_COLOR", "NO_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setattr("paratype.batch._MOST_CHARACTERS", -1)
    here = folder.parent / "work"
    here.mkdir()
    monkeypatch.chdir(here)
    rows = [{"id": n, "text": text} for n, text in enumerate(TEXTS)]
    write(
        "a.jsonl", "".join(json.dumps(row) + "\n" for row in [*rows, {"n": 1}, {"text": "Two.", "n": 2.5}]) + "torn\n"
    )
    write("b.csv", "id,text,n\n7,One.,x\n8,Rockets struck the airport.,\n")
    return here


def write(name, data):
    Path(name).write_text(data)


def said(result):
    """Return the messages without the frame that is drawn around them, on one line."""
    return " ".join(result.stderr.replace("│", " ").split())


@pytest.fixture
def label(folder):
    def label(*arguments, inputs=("a.jsonl", "b.csv"), model=folder):
        command = ["label", *inputs, "--model", str(model), *map(str, arguments)]
        return CliRunner().invoke(app, command, catch_exceptions=False)

    return label


@pytest.fixture
def stopped(label, monkeypatch):
    """Run until some batches are written, and then be interrupted."""

    def stopped(*arguments, after=4, error=KeyboardInterrupt, **options):
        mark = Journal.mark
        marks = []

        def stop(journal, progress):
            marks.append(progress)
            if len(marks) > after:
                raise error
            mark(journal, progress)

        with monkeypatch.context() as patched:
            patched.setattr(Journal, "mark", stop)
            return label(*arguments, **options)

    return stopped


def names():
    return sorted(path.name for path in Path().iterdir())


# Going on


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_run_that_goes_on_ends_as_if_it_had_not_stopped(label, stopped, output):
    straight = label("-o", f"straight-{output}")
    for after in (0, 2, 3, 1):
        result = stopped("-o", output, "--resume", after=after)
        assert result.exit_code == 130 and not Path(output).exists()
    result = label("-o", output, "--resume")
    assert Path(output).read_bytes() == Path(f"straight-{output}").read_bytes()
    assert (result.exit_code, said(result)) == (1, said(straight).replace("straight-", ""))
    assert names() == sorted(
        ["a.jsonl", "b.csv", *(f"{start}{output}{end}" for start in ("", "straight-") for end in ("", ".run.json"))]
    )


def test_an_interrupted_run_says_how_to_go_on(stopped):
    result = stopped("-o", "out.csv", after=3)
    assert said(result) == "interrupted; the rows so far are kept (3); go on with --resume"
    assert names() == [".out.csv.journal", "a.jsonl", "b.csv"]


def test_a_run_that_is_interrupted_before_its_first_row_leaves_nothing(stopped):
    result = stopped("-o", "out.csv", after=0)
    assert said(result) == "interrupted; nothing was written to the output file"
    assert names() == ["a.jsonl", "b.csv"]


def test_a_run_that_fails_keeps_its_rows(label, stopped):
    result = stopped("-o", "out.jsonl", error=OSError(28, "whatever"))
    assert result.exit_code == 2
    assert said(result) == (
        "error: cannot write out.jsonl: No space left on device; the rows so far are kept (4); go on with --resume"
    )
    assert label("-o", "out.jsonl", "--resume").exit_code == 1
    assert len(Path("out.jsonl").read_text().splitlines()) == 9


def test_nothing_is_claimed_after_a_failed_sync(stopped, monkeypatch):
    # A second fsync may well report success though the first lost the data.
    calls = []
    monkeypatch.setattr("paratype.runs.journal.SYNC_SECONDS", 0)
    monkeypatch.setattr("paratype.runs.journal._SYNC_SHARE", 0)

    def sync_file(path):
        calls.append(path.name)
        if len(calls) == 2:
            raise OSError(5, "whatever")

    with monkeypatch.context() as patched:
        patched.setattr("paratype.runs.journal.sync_file", sync_file)
        result = stopped("-o", "out.jsonl", after=9)
    assert "cannot write out.jsonl: Input/output error; the rows so far are kept (" in said(result)
    assert len(calls) == 2


def test_a_run_without_an_earlier_one_starts(label):
    assert label("-o", "out.jsonl", "--resume").exit_code == 1
    assert json.loads(Path("out.jsonl.run.json").read_text())["runs"] == 1


def test_an_unfinished_run_is_not_dropped_by_chance(label, stopped):
    stopped("-o", "out.csv")
    result = label("-o", "out.csv")
    assert result.exit_code == 2 and not Path("out.csv").exists()
    assert (
        "an unfinished run on out.csv is there, with 4 rows; go on with --resume, or start afresh with --force"
    ) in said(result)
    assert label("-o", "out.csv", "--resume").exit_code == 1


def test_an_unfinished_run_is_dropped_by_force(label, stopped):
    stopped("-o", "out.csv")
    write("b.csv", "id,text\n9,Other.\n")
    assert label("-o", "out.csv", "--force").exit_code == 1
    assert "Other." in Path("out.csv").read_text() and names()[0] == "a.jsonl"


def test_an_output_is_replaced_by_a_run_that_goes_on_with_one_that_may(label, stopped):
    write("out.csv", "mine")
    stopped("-o", "out.csv", "--force")
    assert Path("out.csv").read_text() == "mine"
    assert label("-o", "out.csv", "--resume").exit_code == 1
    assert Path("out.csv").read_text().startswith("id,text,")


def test_an_output_is_not_replaced_by_a_run_that_goes_on_with_one_that_may_not(label, stopped):
    stopped("-o", "out.csv")
    write("out.csv", "mine")
    result = label("-o", "out.csv", "--resume")
    assert result.exit_code == 2 and Path("out.csv").read_text() == "mine"
    assert "out.csv exists; choose another name, or replace it with --force" in said(result)


def test_a_finished_run_is_not_gone_on_with(label):
    label("-o", "out.csv")
    result = label("-o", "out.csv", "--resume")
    assert result.exit_code == 2
    assert "out.csv exists; choose another name, or replace it with --force; there is no unfinished run" in said(result)


def test_batches_have_no_influence(label, monkeypatch):
    outputs = ["out.jsonl", "out.csv", "out.parquet"]
    write("many.jsonl", "".join(json.dumps({"id": n, "text": f"Post {n} was hit."}) + "\n" for n in range(160)))
    contents = []
    for most in (-1, 900, 1 << 24):
        monkeypatch.setattr("paratype.batch._MOST_CHARACTERS", most)
        monkeypatch.setattr("paratype.writing.parquet._GROUP_ROWS", 60)
        for output in outputs:
            label("-o", output, "--force", inputs=["many.jsonl"])
        contents.append([Path(output).read_bytes() for output in outputs])
    assert contents[0] == contents[1] == contents[2]
    groups = pq.ParquetFile("out.parquet").metadata
    assert [groups.row_group(place).num_rows for place in range(groups.num_row_groups)] == [60, 60, 40]


def test_row_groups_of_long_texts_are_smaller(label, monkeypatch):
    monkeypatch.setattr("paratype.writing.parquet._GROUP_BYTES", 1)
    label("-o", "out.parquet")
    assert pq.ParquetFile("out.parquet").num_row_groups == 9


# What a run that goes on must share


def change_input():
    write("b.csv", "id,text,n\n7,One.,x\n8,Rockets struck the airpost.,\n")


def keep_size_and_time():
    before = Path("b.csv").stat()
    change_input()
    os.utime("b.csv", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Path("b.csv").stat().st_size == before.st_size


def cut_input():
    write("a.jsonl", Path("a.jsonl").read_text()[:-5])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (change_input, "b.csv has changed"),
        (keep_size_and_time, "b.csv has changed"),
        (cut_input, "a.jsonl has changed"),
        (lambda: Path("b.csv").unlink(), "b.csv has changed"),
    ],
    ids=["changed", "same size and time", "cut", "gone"],
)
def test_inputs_that_have_changed_are_refused(label, stopped, change, what):
    stopped("-o", "out.csv")
    texts = {name: Path(name).read_text() for name in ("a.jsonl", "b.csv")}
    change()
    result = label("-o", "out.csv", "--resume")
    assert result.exit_code == 2 and not Path("out.csv").exists()
    message = (
        f"the unfinished run on out.csv cannot go on: {what}; run it as it was begun, or start afresh with --force"
    )
    assert message in said(result)
    for name, text in texts.items():
        write(name, text)
    assert label("-o", "out.csv", "--resume").exit_code == 1


def test_a_missing_input_that_has_come_is_refused(label, stopped):
    inputs = ["a.jsonl", "c.csv", "b.csv"]
    stopped("-o", "out.csv", inputs=inputs)
    write("c.csv", "text\nOne.\n")
    assert "cannot go on: c.csv has changed" in said(label("-o", "out.csv", "--resume", inputs=inputs))


@pytest.mark.parametrize(
    ("inputs", "what"),
    [
        (["a.jsonl"], "b.csv is no longer among the inputs"),
        (["a.jsonl", "b.csv", "c.txt"], "c.txt is new among the inputs"),
        (["b.csv", "a.jsonl"], "the inputs come in another order"),
    ],
)
def test_other_inputs_are_refused(label, stopped, inputs, what):
    write("c.txt", "One.")
    stopped("-o", "out.csv")
    assert f"cannot go on: {what}; run it" in said(label("-o", "out.csv", "--resume", inputs=inputs))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--text-column", "id"], "text column was text, is id"),
        (["--encoding", "cp1252"], "encoding was auto, is cp1252"),
        (["--format", "tsv"], "format was csv, is tsv"),
        (["--no-text"], "text kept was True, is False"),
        (["--raw"], "raw was False, is True"),
        (["--evidence"], "evidence was False, is True"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_other_settings_are_refused(label, stopped, options, what):
    stopped("-o", "out.csv")
    result = label("-o", "out.csv", "--resume", *options)
    assert result.exit_code == 2 and f"cannot go on: {what}; run it" in said(result)
    assert label("-o", "out.csv", "--resume", "-j", 1).exit_code == 1


def test_another_model_is_refused(label, stopped, folder, rows):
    stopped("-o", "out.csv")
    ParagraphClassifier(NgramFeatures(min_df=1, pair_bits=10), C=1).fit(*rows).save(folder)
    result = label("-o", "out.csv", "--resume")
    assert result.exit_code == 2 and "cannot go on: model was " in said(result)


def test_another_release_is_refused(label, stopped, monkeypatch):
    stopped("-o", "out.csv")
    monkeypatch.setattr("paratype.runs.terms._version", lambda package: "9.9.9" if package == "paratype" else None)
    result = label("-o", "out.csv", "--resume")
    assert f"paratype was {paratype.__version__}, is 9.9.9" in said(result) and "numpy was " in said(result)


def test_rows_that_come_otherwise_are_refused(label, stopped, monkeypatch):
    stopped("-o", "out.csv", after=8)
    first = Place(3, "a.jsonl", 3)
    monkeypatch.setattr("paratype.runs.job.Place", lambda rows, source, place: Place(rows, "b.csv", 2))
    result = label("-o", "out.csv", "--resume")
    assert result.exit_code == 2
    assert (
        "cannot go on: expected 8 rows, the last of them row 2 of b.csv, and found 8, the last of them row 1 of b.csv"
    ) in said(result)
    assert first.after([Row("a.jsonl", "")]) == Place(4, "a.jsonl", 4)
    assert first.after([Row("a.jsonl", ""), Row("b.csv", "")]) == Place(5, "b.csv", 1)


@pytest.mark.parametrize("name", ["-", "pipe.jsonl"])
def test_what_cannot_be_read_twice_cannot_be_gone_on_with(label, name):
    os.mkfifo("pipe.jsonl")
    result = label("-o", "out.csv", "--resume", inputs=["a.jsonl", name])
    assert result.exit_code == 2
    assert "standard input and pipes cannot be read a second time; leave out --resume" in said(result)


def test_going_on_needs_an_output(label):
    result = label("--resume")
    assert result.exit_code == 2 and "--resume goes on with an output file; name it with --output" in said(result)


def test_going_on_or_starting_afresh(label):
    result = label("--resume", "--force", "-o", "out.csv")
    assert result.exit_code == 2 and "--force starts afresh; give one of them" in said(result)


# Journals


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda journal: (journal / "progress.json").write_text("{"), "Expecting property name"),
        (lambda journal: (journal / "progress.json").write_text("[]"), "expected rows or settings"),
        (lambda journal: (journal / "settings.json").unlink(), "settings.json is missing"),
        (lambda journal: (journal / "rows" / "waiting.jsonl").write_text("x"), "bytes, got 1"),
        (lambda journal: (journal / "rows" / "waiting.jsonl").unlink(), "waiting.jsonl is missing"),
    ],
    ids=range(5),
)
def test_a_damaged_journal_is_refused(label, stopped, damage, reason):
    stopped("-o", "out.csv")
    damage(Path(".out.csv.journal"))
    result = label("-o", "out.csv", "--resume")
    assert result.exit_code == 2 and "the journal of the unfinished run is damaged: " in said(result)
    assert reason in said(result) and "; start afresh with --force" in said(result)
    assert label("-o", "out.csv", "--force").exit_code == 1


def test_files_that_the_journal_does_not_know_are_removed(label, stopped, work):
    write("mine", "mine")
    stopped("-o", "out.csv")
    Path(".out.csv.journal/rows/link").symlink_to(work / "mine")
    assert label("-o", "out.csv", "--resume").exit_code == 1
    assert Path("mine").read_text() == "mine"


def test_a_link_in_a_journal_is_not_followed(label, stopped, work):
    write("mine", "mine" * 10_000)
    stopped("-o", "out.csv")
    Path(".out.csv.journal/rows/waiting.jsonl").unlink()
    Path(".out.csv.journal/rows/waiting.jsonl").symlink_to(work / "mine")
    assert "waiting.jsonl is missing" in said(label("-o", "out.csv", "--resume"))
    assert Path("mine").read_text() == "mine" * 10_000


def test_a_second_run_is_refused(label):
    for options in ([], ["--resume"], ["--force"]):
        with locked_folder(Path(".out.csv.journal")):
            result = label("-o", "out.csv", *options)
        assert result.exit_code == 2
        assert f"process {os.getpid()} is writing out.csv; wait until it is done, or name another output" in said(
            result
        )
        assert label("-o", "other.csv", "--force").exit_code == 1
    assert label("-o", "out.csv").exit_code == 1


def test_a_lock_that_was_left_locks_nothing(label):
    Path(".out.csv.journal").mkdir()
    write(".out.csv.journal/lock", "1")
    assert label("-o", "out.csv").exit_code == 1
    assert names() == ["a.jsonl", "b.csv", "out.csv", "out.csv.run.json"]


def test_a_file_system_without_locks_is_written_to(label, monkeypatch):
    def flock(descriptor, operation):
        raise OSError(95, "whatever")

    monkeypatch.setattr("fcntl.flock", flock)
    assert label("-o", "out.csv").exit_code == 1


def test_a_lock_that_fails_is_named(label, monkeypatch):
    def flock(descriptor, operation):
        raise OSError(5, "whatever")

    monkeypatch.setattr("fcntl.flock", flock)
    result = label("-o", "out.csv")
    assert result.exit_code == 2 and said(result) == "error: cannot write out.csv: Input/output error"


def test_only_the_owner_may_look_into_a_journal(stopped):
    stopped("-o", "out.csv")
    assert Path(".out.csv.journal").stat().st_mode & 0o777 == 0o700


def test_an_output_has_the_permissions_of_any_new_file(label):
    write("plain", "")
    label("-o", "out.csv")
    assert Path("out.csv").stat().st_mode == Path("plain").stat().st_mode == Path("out.csv.run.json").stat().st_mode


# Manifests


def test_a_manifest_tells_of_the_run(label, stopped):
    stopped("-o", "out.csv")
    label("-o", "out.csv", "--resume")
    manifest = json.loads(Path("out.csv.run.json").read_text())
    assert (manifest["rows"], manifest["files"], manifest["failures"], manifest["runs"]) == (9, 2, 2, 2)
    assert sum(manifest["labels"].values()) == 7 and manifest["review"] >= 0 and manifest["seconds"] > 0
    assert manifest["first_failures"][1].startswith("a.jsonl: line 7: not JSON")
    assert manifest["model_name"] == "small" and len(manifest["settings"]["model"]) == 64
    assert manifest["settings"]["paratype"] == paratype.__version__
    assert [entry["source"] for entry in manifest["inputs"]] == ["a.jsonl", "b.csv"]
    for entry in (*manifest["inputs"], manifest["output"]):
        data = Path(entry.get("source", "out.csv")).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_manifest_names_so_many_failures(label):
    write("torn.jsonl", "torn\n" * 150)
    label("-o", "out.csv", inputs=["torn.jsonl"])
    manifest = json.loads(Path("out.csv.run.json").read_text())
    assert (manifest["failures"], len(manifest["first_failures"])) == (150, 100)


def test_a_manifest_is_no_input(label, work):
    label("-o", "out.jsonl")
    manifest = json.loads(Path("out.jsonl.run.json").read_text())
    label("-o", "all.csv", inputs=["."])
    sources = [entry["source"] for entry in json.loads(Path("all.csv.run.json").read_text())["inputs"]]
    assert sources == ["a.jsonl", "b.csv", "out.jsonl"] and manifest["inputs"][0]["source"] == "a.jsonl"


def test_an_input_that_changes_while_it_is_read_is_named(label, monkeypatch):
    mark = Journal.mark

    def change(journal, progress):
        change_input()
        mark(journal, progress)

    monkeypatch.setattr(Journal, "mark", change)
    result = label("-o", "out.csv")
    assert result.exit_code == 1 and "error: b.csv: changed while it was read; label it again" in said(result)


# Compression


@pytest.mark.parametrize("name", ["jsonl", "csv", "tsv", "txt"])
def test_outputs_are_compressed_by_suffix(label, name):
    for suffix in ("", ".gz", ".zst"):
        label("-o", f"out.{name}{suffix}")
    plain = Path(f"out.{name}").read_bytes()
    assert plain and gzip.decompress(Path(f"out.{name}.gz").read_bytes()) == plain
    with pa.input_stream(f"out.{name}.zst", compression="zstd") as stream:
        assert stream.read() == plain


def test_a_format_and_a_suffix_of_compression(label):
    label("-o", "out.gz", "-f", "jsonl")
    assert gzip.decompress(Path("out.gz").read_bytes()).count(b"\n") == 9


def test_parquet_is_not_compressed_again(label):
    result = label("-o", "out.parquet.gz")
    assert result.exit_code == 2 and "Parquet is compressed inside; leave out .gz" in said(result)
    assert "cannot tell the format from 'out.gz'" in said(label("-o", "out.gz"))


def test_raw_cells(label):
    label("-o", "out.csv")
    label("-o", "raw.csv", "--raw")
    assert "'=We will" in Path("out.csv").read_text() and ",=We will" in Path("raw.csv").read_text()


# Rows for a person's eye


def test_rows_before_the_stop_count_for_review(label, stopped):
    label("-o", "whole.jsonl", "--review", "whole.csv")
    for after in (1, 4, 6):
        assert stopped("-o", "out.jsonl", "--review", "review.csv", after=after).exit_code == 130
        assert not Path("review.csv").exists()
        assert label("-o", "out.jsonl", "--review", "review.csv", "--resume").exit_code == 1
        assert Path("review.csv").read_bytes() == Path("whole.csv").read_bytes()
        Path("review.csv").unlink()
        Path("out.jsonl").unlink()


def test_a_review_cannot_begin_in_the_middle(label, stopped):
    stopped("-o", "out.jsonl")
    result = label("-o", "out.jsonl", "--review", "review.csv", "--resume")
    assert result.exit_code == 2
    assert "review was None, is review.csv" in said(result) and "start afresh with --force" in said(result)


def test_a_review_that_came_in_between_is_not_replaced(label, stopped):
    stopped("-o", "out.jsonl", "--review", "review.csv")
    write("review.csv", "mine")
    result = label("-o", "out.jsonl", "--review", "review.csv", "--resume")
    assert result.exit_code == 2 and "review.csv exists; choose another name" in said(result)
    assert Path("review.csv").read_text() == "mine"


def test_a_review_that_cannot_be_put_in_place_is_kept(label, monkeypatch):
    label("-o", "whole.jsonl", "--review", "whole.csv")

    def full(path, to):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("paratype.runs.journal.copy_whole", full)
        result = label("-o", "out.jsonl", "--review", "review.csv")
    assert result.exit_code == 2
    assert "cannot write review.csv: No space left on device" in said(result) and "go on with --resume" in said(result)
    assert Path("out.jsonl").exists() and not Path("review.csv").exists()
    assert label("-o", "out.jsonl", "--review", "review.csv", "--resume").exit_code == 1
    assert Path("review.csv").read_bytes() == Path("whole.csv").read_bytes()
