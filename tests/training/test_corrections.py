import csv
import json

import pytest

from paratype import LABELS
from paratype.reading import Failure
from paratype.writing.review import REVIEW_COLUMNS, key_of
from training.additions import clashes, load_added, store
from training.corpus import Row
from training.corrections import read_corrected

TEXT = "Gunmen attacked a post near the river on Monday and burned two vehicles, the police said."
OTHER = "The harbour master’s office named the ships that wait in the roads for a berth, and for how long."


def cells(text=TEXT, **changes):
    plain = {"source": "a.txt", "paragraph": "0", "text": text, "label": "attack_report", "labels": "attack_report"}
    plain |= {"score": "0.4", "reason": "", "said": "attack_report", "key": key_of(text)}
    return plain | changes


def saved(path, *rows, delimiter=",", encoding="utf-8-sig", lineterminator="\r\n"):
    with path.open("w", encoding=encoding, newline="") as stream:
        table = csv.DictWriter(stream, REVIEW_COLUMNS, delimiter=delimiter, lineterminator=lineterminator)
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.fixture
def read(tmp_path):
    def read(*rows, first=None, notes=None, **how):
        path = saved(tmp_path / "review.csv", *rows, **how)
        return read_corrected(path, first=first, on_note=([] if notes is None else notes).append)

    return read


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"delimiter": ";", "encoding": "cp1252"},
        {"delimiter": ";", "encoding": "utf-8", "lineterminator": "\n"},
        {"delimiter": "\t", "encoding": "utf-16"},
    ],
    ids=["excel utf-8", "excel", "libreoffice", "unicode text"],
)
def test_what_spreadsheets_save_is_read(read, how):
    corrected = read(cells(), cells(OTHER, label="none", labels="", said="analysis"), **how)
    assert corrected.problems == [] and corrected.changed == 1
    first, second = corrected.rows.values()
    assert (first.text, first.label, first.labels, first.origin) == (
        TEXT, "attack_report", ("attack_report",), "corrected",
    )  # fmt: skip
    assert (second.text, second.label, second.labels) == (OTHER, "none", ())


def test_a_guard_is_undone_and_white_space_evened(read):
    text = "=2 men  were\nheld"
    (row,) = read(cells("'" + text, key=key_of(text))).rows.values()
    assert row.text == "=2 men were held"


@pytest.mark.parametrize(
    ("changes", "label", "labels"),
    [
        ({"label": "Casualty figure"}, "casualty_figure", ["casualty_figure"]),
        ({"label": "analysis", "labels": ""}, "analysis", ["analysis"]),
        ({"label": "none"}, "none", []),
        ({"label": "analysis", "labels": "Analysis, attack-report"}, "analysis", ["analysis", "attack_report"]),
        (
            {"label": "analysis", "labels": "attack_report;casualty_figure", "said": "attack_report;casualty_figure"},
            "analysis",
            ["analysis", "casualty_figure"],
        ),
        (
            {"label": "casualty_figure", "labels": "attack_report;casualty_figure"}
            | {"said": "attack_report;casualty_figure"},
            "casualty_figure",
            ["attack_report", "casualty_figure"],
        ),
    ],
)
def test_labels_go_with_the_label(read, changes, label, labels):
    corrected = read(cells(**changes))
    assert corrected.problems == []
    (row,) = corrected.rows.values()
    assert (row.label, list(row.labels)) == (label, labels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"label": "atack_report"},
            "unknown label 'atack_report'; did you mean attack_report? Expected one of analysis",
        ),
        ({"labels": "attack_report;war"}, f"unknown label 'war'; Expected one of {', '.join(LABELS)}"),
        ({"label": "analysis", "said": ""}, "label analysis is not among labels attack_report; put there every type"),
        ({"label": "none", "said": ""}, "label none goes with empty labels, got attack_report; empty labels"),
        ({"text": "12-Mar", "key": key_of(TEXT)}, "the text is not what was written there: spreadsheets change dates"),
        ({"text": "", "key": ""}, "expected one line of 1 to 220 words, got 0"),
        ({"text": "word " * 221, "key": ""}, "expected one line of 1 to 220 words, got 221"),
    ],
)
def test_a_bad_row_is_named_with_its_number_and_the_fix(read, changes, message):
    (problem,) = read(cells(OTHER), cells(**changes)).problems
    assert "review.csv row 3 (“" in problem and message in problem


def test_rows_that_nobody_judged_are_left_out(read):
    corrected = read(cells(label=""), cells(OTHER), cells("Three."), first=2)
    assert [row.text for row in corrected.rows.values()] == [OTHER] and corrected.skipped == 1


def test_a_file_without_labels_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("text,lable\nOne.,none\n")
    with pytest.raises(Failure, match="expected columns text and label, got text, lable"):
        read_corrected(tmp_path / "a.csv")


def test_json_lines_are_read(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": TEXT, "label": "analysis", "labels": ["analysis"]}) + "\n")
    (row,) = read_corrected(tmp_path / "a.jsonl").rows.values()
    assert row.labels == ("analysis",)


def test_copies_are_told(read):
    corrected = read(cells(), cells(TEXT.upper()), cells(OTHER))
    near = Row.from_json(
        vars(next(iter(corrected.rows.values()))) | {"id": "other", "text": TEXT.replace("Monday", "Tuesday")}
    )
    one, two, copied = clashes(corrected.rows, [near])[0], *clashes(corrected.rows, [near])[1:]
    assert "row 3" in one and "has the text of" in one and "row 2" in one
    assert "is a near copy of row other of the corpus; delete it" in two and "row 3" in copied


def test_rows_are_stored_and_newer_answers_replace_older_ones(read, tmp_path):
    path = tmp_path / "my-rows.jsonl"
    first = read(cells(), cells(OTHER, label="none", labels="")).rows.values()
    assert vars(store(first, path)) == {"new": 2, "replaced": 0, "kept": 0}
    again = read(cells(), cells(OTHER, label="analysis", labels=""), cells("Three.")).rows.values()
    assert vars(store(again, path)) == {"new": 1, "replaced": 1, "kept": 1}
    rows = load_added([path])
    assert [(row.text, row.label) for row in rows] == [
        (TEXT, "attack_report"), (OTHER, "analysis"), ("Three.", "attack_report"),
    ]  # fmt: skip
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("torn", "expected a file that `python -m training add` wrote"),
        ("[1]\n", "expected a JSON object on each line"),
        ('{"text": "One."}\n', "line 1: expected the fields"),
    ],
)
def test_a_file_of_other_rows_is_refused(tmp_path, content, message):
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(ValueError, match=message):
        load_added([tmp_path / "a.jsonl"])


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"none\.jsonl: No such file"):
        load_added([tmp_path / "none.jsonl"])
