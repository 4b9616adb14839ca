import json

import numpy as np
import pytest
from typer.testing import CliRunner

from eval.__main__ import app
from eval.answers import Answers
from eval.compare import compare
from eval.data import Labelled
from eval.loop import _correct, _half, walk
from eval.metrics import score
from eval.report import compare_table
from paratype import LABELS, TYPES
from paratype.review import Candidate
from paratype.writing.review import write_review
from training.corrections import read_corrected


@pytest.fixture
def data():
    label = np.random.default_rng(1).choice(LABELS, 90)
    labels = tuple(frozenset({name} - {"none"}) for name in label)
    return Labelled(
        tuple(map(str, range(90))), tuple(label), labels, tuple(str(i // 3) for i in range(90)), ("x",) * 90
    )


def answers(label):
    label = np.array(label)
    return Answers(label, label[:, None] == np.array(TYPES))


def mostly(data, wrong):
    """Return answers of which the first few are wrong."""
    return answers(["none" if i < wrong and data.label[i] != "none" else name for i, name in enumerate(data.label)])


def test_a_model_is_no_better_than_itself(data):
    result = compare(data, mostly(data, 30), mostly(data, 30))
    assert all(scores["difference"] == 0 and scores["interval"] == [0, 0] for scores in result["scores"].values())
    assert result["changed"] == {"mended": 0, "broken": 0, "other": 0}


def test_scores_are_those_of_each_model_alone(data):
    result = compare(data, mostly(data, 40), mostly(data, 10))
    for when, wrong in (("before", 40), ("after", 10)):
        alone = score(data, mostly(data, wrong), intervals=False)
        for key in ("accuracy", "macro_f1", "labels_macro_f1"):
            assert result["scores"][key][when] == pytest.approx(alone[key])
        for name in LABELS:
            assert result["scores"][name][when] == pytest.approx(alone["per_label"][name]["f1"])
            assert result["scores"][name]["rows"] == data.label.count(name)


def test_the_interval_holds_the_difference_and_is_narrower_than_that_of_unpaired_rows(data):
    result = compare(data, mostly(data, 40), mostly(data, 10))["scores"]["accuracy"]
    low, high = result["interval"]
    assert 0 < low < result["difference"] < high
    both = [score(data, mostly(data, wrong))["intervals"]["accuracy"] for wrong in (40, 10)]
    assert high - low < sum(edges[1] - edges[0] for edges in both)


def test_what_was_mended_and_broken_is_counted(data):
    before, after = list(data.label), list(data.label)
    others = [next(name for name in LABELS if name != label) for label in data.label]
    before[:4], after[3:6] = others[:4], others[3:6]
    assert compare(data, answers(before), answers(after))["changed"] == {"mended": 3, "broken": 2, "other": 0}


def test_a_label_that_no_row_has_gets_no_score(data):
    kept = data.select([place for place, name in enumerate(data.label) if name != "threat_statement"])
    result = compare(kept, mostly(kept, 9), mostly(kept, 3))
    assert "threat_statement" not in result["scores"]
    assert "threat_statement" not in compare_table(result)


def test_the_command_prints_the_table(data, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(
        "".join(json.dumps({"text": t, "label": n}) + "\n" for t, n in zip(data.texts, data.label, strict=True))
    )
    result = CliRunner().invoke(app, ["compare", "fast", "fast", str(file)], catch_exceptions=False)
    assert result.exit_code == 0 and "| accuracy | " in result.stdout and "+0.000 (+0.000 to +0.000)" in result.stdout
    result = CliRunner().invoke(app, ["compare", "fast", "nonesuch", str(file)])
    assert result.exit_code == 1 and "no model or folder called 'nonesuch'" in result.stderr


def test_a_model_with_other_labels_is_refused(rows, tmp_path):
    from paratype import ParagraphClassifier
    from paratype.features import NgramFeatures

    (tmp_path / "rows.jsonl").write_text('{"text": "One.", "label": "none"}\n')
    few = [(text, label) for text, label in zip(*rows, strict=True) if label in ("none", "analysis")]
    ParagraphClassifier(NgramFeatures(min_df=1, pair_bits=10)).fit(*zip(*few, strict=True)).save(tmp_path / "own")
    result = CliRunner().invoke(app, ["compare", "fast", str(tmp_path / "own"), str(tmp_path / "rows.jsonl")])
    assert result.exit_code == 1 and "own gives analysis, none; expected analysis, attack_report" in result.stderr


def test_halves_are_of_like_size():
    assert 400 < sum(_half(str(n)) for n in range(1000)) < 600


def test_known_labels_play_the_person_who_corrects(tmp_path):
    truth = Labelled(
        ("One  two.", "=3"), ("analysis", "none"), (frozenset(["analysis"]), frozenset()), ("a", "b"), ("x", "x")
    )
    scores = {"none": 0.4, "analysis": 0.3}
    write_review(
        tmp_path / "r.csv", [Candidate("a", None, text, "none", 0.4, [], scores) for text in ("One two.", "=3")], 9
    )
    assert _correct(tmp_path / "r.csv", truth) == (2, 1)
    corrected = read_corrected(tmp_path / "r.csv")
    assert corrected.problems == [] and corrected.changed == 1
    assert {row.text: row.label for row in corrected.rows.values()} == {"One two.": "analysis", "=3": "none"}


def test_a_source_that_is_not_there_is_refused(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "One.", "label": "none", "source": "a/b"}\n' * 9)
    with pytest.raises(ValueError, match=r"expected sources among \['a'\], got \['c'\]"):
        next(walk(file, 9, only=["c"], log=print))
