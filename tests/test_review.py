import csv
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paratype.batch import Labelled
from paratype.reading import Row
from paratype.review import Candidate, Candidates, worth_a_look
from paratype.writing.cells import guarded, unguarded
from paratype.writing.review import REVIEW_COLUMNS, key_of, write_review


def labelled(pairs):
    """Return rows of texts and scores; a score of None is a row that failed."""
    scores = pa.array([score for _, score in pairs], pa.float64())
    answers = {
        "label": pa.array(["analysis"] * len(pairs), pa.string()),
        "score": scores,
        "labels": pa.array([["analysis"]] * len(pairs), pa.list_(pa.string())),
        "p_analysis": scores,
        "p_none": scores,
    }
    return Labelled([Row("a.txt", text) for text, _ in pairs], pa.record_batch(answers), "text", "text", True, 0)


def candidate(text, score):
    return Candidate("a.txt", 0, text, "analysis", score, ["analysis"], {"analysis": score, "none": 1 - score})


def kept(*batches, most, monkeypatch, folder=None):
    monkeypatch.setattr("paratype.review._LEAST_CERTAIN", most)
    with Candidates(1, folder) as candidates:
        for batch in batches:
            candidates.add(labelled(batch))
        candidates.flush()
        return [(found.text, found.score) for found in candidates]


def test_the_least_certain_are_kept_in_order(monkeypatch):
    rows = [(f"word{n}", n / 100) for n in (50, 40, 90, 10, 30, 20)]
    found = kept(rows[:3], rows[3:], most=3, monkeypatch=monkeypatch)
    assert found == [("word10", 0.1), ("word20", 0.2), ("word30", 0.3)]


def test_of_equally_certain_rows_the_first_stay(monkeypatch):
    found = kept([(name, 0.5) for name in "abcd"], most=2, monkeypatch=monkeypatch)
    assert [text for text, _ in found] == ["a", "b"]


def test_what_no_person_could_correct_is_left_out(monkeypatch):
    long, endless = "word " * 221, "x" * 9000
    rows = [
        ("failed", None),
        (" ", 0.2),
        (long, 0.2),
        (endless, 0.2),
        ("sure", 1.0),
        ("one\n two", 0.3),
        ("One two.", 0.4),
    ]
    assert kept(rows, most=9, monkeypatch=monkeypatch) == [("one two", 0.3)]


SCORED = st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.integers(0, 9).map(lambda n: n / 10)), max_size=40)


@settings(max_examples=60)
@given(rows=SCORED, cut=st.integers(0, 40))
def test_going_on_gives_what_one_go_gives(rows, cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    with pytest.MonkeyPatch.context() as patched:
        whole = kept(rows, most=3, monkeypatch=patched)
        kept(rows[:cut], most=3, monkeypatch=patched, folder=folder)
        assert kept(rows[cut:], most=3, monkeypatch=patched, folder=folder) == whole


def test_the_first_is_the_least_certain_and_each_next_as_different_as_can_be():
    drones = [candidate(f"Drones struck another airport hangar {n}", 0.40 + n / 100) for n in range(5)]
    harvest = candidate("Harvest prices climbed despite rainfall", 0.48)
    chosen = worth_a_look([*drones, harvest], 3)
    assert [row.text for row in chosen[:2]] == [drones[0].text, harvest.text]
    assert len(chosen) == 3 and len(worth_a_look(drones, 99)) == 5 and worth_a_look([], 3) == []


def test_doubt_counts_where_texts_are_equally_different():
    rows = [candidate("alpha", 0.3), candidate("bravo", 0.8), candidate("charlie", 0.5)]
    assert [row.score for row in worth_a_look(rows, 3)] == [0.3, 0.5, 0.8]


def test_a_file_for_review(tmp_path):
    path = tmp_path / "review.csv"
    text = '=cmd, "said"'
    row = Candidate("a.txt", 3, text, "none", 0.4, [], {"analysis": 0.35, "none": 0.4, "attack_report": 0.25})
    assert write_review(path, [row], 10) == 1
    assert path.read_bytes().startswith(b"\xef\xbb\xbfsource,paragraph,text,label,")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        (cells,) = csv.DictReader(stream)
    assert cells == dict(
        zip(
            REVIEW_COLUMNS,
            ["a.txt", "3", "'" + text, "none", "", "0.4", "none 0.40 or analysis 0.35", "none", key_of(text)],
            strict=True,
        )
    )


def test_said_has_the_label_first(tmp_path):
    row = Candidate("a", None, "x", "b", 0.4, ["a", "b"], {"a": 0.3, "b": 0.4})
    write_review(tmp_path / "r.csv", [row], 1)
    assert ",b,a;b,0.4,b 0.40 or a 0.30,b;a," in (tmp_path / "r.csv").read_text("utf-8-sig")


@given(st.text(st.sampled_from("'=+-@\t1a")))
def test_the_guard_is_undone(text):
    cell = guarded(text)
    assert unguarded(cell) == text
    assert cell == text or json.dumps(cell)[1] == "'"


def test_formulas_are_guarded():
    assert [guarded(text) for text in ("=1+1", "@x", "'=1", "-5", "'so", "")] == [
        "'=1+1",
        "'@x",
        "''=1",
        "-5",
        "'so",
        "",
    ]
