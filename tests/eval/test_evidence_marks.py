import json
from dataclasses import replace

import pytest

from eval.evidence import MARKS, Marked, evaluate_evidence, load_marks
from eval.report import tables
from training.corpus import CORPUS, Row, read_rows

TEXT = "It came as no surprise to anyone. At least ten people were killed and thirty wounded. No more was known."
FIRST, TOLL, LAST = (0, 33), (34, 85), (86, 104)


@pytest.fixture(scope="module")
def corpus():
    return [Row.from_json(record) for path in sorted(CORPUS.glob("*.jsonl")) for record in read_rows(path)]


@pytest.fixture(scope="module")
def marked(corpus):
    return load_marks(corpus)


def test_two_readers_marked_sentences_of_enough_rows(marked):
    assert len(marked) >= 150 and len({row.text for row in marked}) == len(marked)
    for row in marked:
        assert len(row.readers) == 2 and all(row.readers)
        for start, end in (mark for marks in row.readers for mark in marks):
            assert 0 <= start < end <= len(row.text) and row.text[start:end] == row.text[start:end].strip()
        assert row.label != "none"


def test_the_halves_are_about_as_large(marked):
    assert 0.4 < sum(row.held_out for row in marked) / len(marked) < 0.6


def test_the_file_repeats_no_text():
    for line in MARKS.read_text("utf-8").splitlines():
        assert sorted(json.loads(line)) == ["first", "id", "second"]


def test_a_marked_row_that_is_no_longer_in_the_corpus_is_refused(corpus):
    with pytest.raises(ValueError, match="is not in the corpus; mark it anew"):
        load_marks(corpus[:10])


@pytest.mark.parametrize(
    ("span", "share"), [(TOLL, 1.0), (LAST, 0.5), (FIRST, 0.0), (None, 0.0), ((40, 85), 1.0), ((30, 104), 1.0)]
)
def test_readers_agree_with_what_they_marked_roughly(span, share):
    assert Marked(TEXT, "casualty_figure", ((TOLL,), (TOLL, LAST)), True).share_of(span) == share


def test_scores_of_a_small_model(corpus, classifier, tmp_path, monkeypatch):
    rows = [replace(corpus[0], id=f"{place:012}", text=TEXT, label="casualty_figure") for place in range(12)]
    lines = [json.dumps({"id": row.id, "first": [TOLL], "second": [TOLL, LAST]}) for row in rows]
    (tmp_path / "marks.jsonl").write_text("\n".join(lines))
    monkeypatch.setattr("eval.evidence.load_marks", lambda rows: load_marks(rows, tmp_path / "marks.jsonl"))
    result = evaluate_evidence(rows, {"fast": classifier.model_})
    assert result["readers"]["same"] == result["readers"]["in_common"] == 1.0
    half = result["halves"]["held-out"]
    assert half["fast"]["agrees"] == half["fast"]["label_right"] == half["longest sentence"]["agrees"] == 1.0
    assert half["first sentence"]["agrees"] == 0.0 and half["a sentence at random"]["agrees"] == pytest.approx(0.5)
    assert half["fast"]["over_longest"]["agrees"] == 0.0
    assert result["rules"]["fast"]["contributions of its words to the type"]["agrees"] == 1.0
    assert result["cost"]["fast"]["with"] > 0
    json.dumps(result)


def test_the_stored_results_make_their_tables():
    from eval.publish import RESULTS

    scores = json.loads((RESULTS / "scores.json").read_text("utf-8"))
    made = tables(scores | {"evidence": json.loads((RESULTS / "evidence.json").read_text("utf-8"))})
    assert made["evidence"].count("\n") > 8 and "chose the same sentence" in made["evidence-readers"]
