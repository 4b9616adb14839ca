import json

import numpy as np
import pytest
from sklearn.metrics import f1_score

from eval.answers import Answers
from eval.baselines import BASELINES
from eval.data import Labelled, Part, load_labelled, load_seeds, seed_labels
from eval.markdown import fill
from eval.metrics import score
from eval.robustness import CHANGES
from paratype import LABELS, TYPES
from training.corpus import Row


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    label = rng.choice(LABELS, 60)
    labels = [frozenset({name} - {"none"}) for name in label]
    return Labelled(
        tuple(map(str, range(60))), tuple(label), tuple(labels), tuple(str(i // 3) for i in range(60)), ("x",) * 60
    )


def answers(label, confidence=None):
    label = np.array(label)
    return Answers(label, label[:, None] == np.array(TYPES), confidence)


def test_perfect_answers(data):
    result = score(data, answers(data.label, np.ones(60)))
    assert result["accuracy"] == result["macro_f1"] == result["labels_macro_f1"] == 1
    assert result["calibration_error"] == 0
    assert result["intervals"]["accuracy"] == [1, 1]


def test_scores_are_scikit_learns(data):
    said = np.random.default_rng(2).choice(LABELS, 60)
    result = score(data, answers(said))
    assert result["macro_f1"] == pytest.approx(f1_score(data.label, said, labels=list(TYPES), average="macro"))
    low, high = result["intervals"]["accuracy"]
    assert low < result["accuracy"] < high
    assert np.sum(result["confusion"]) == 60


def test_calibration_error_and_coverage_by_hand():
    data = Labelled(("a",) * 4, ("none",) * 4, (frozenset(),) * 4, tuple("abcd"), ("x",) * 4)
    result = score(
        data, answers(["none", "none", "analysis", "analysis"], np.array([0.9, 0.9, 0.6, 0.4])), intervals=False
    )
    assert result["calibration_error"] == pytest.approx((2 * 0.1 + 0.6 + 0.4) / 4)
    assert result["accuracy_of_surest"] == 1
    assert result["coverage"][-1] == {"share": 1.0, "accuracy": 0.5}


def test_parts_do_not_share_documents(tmp_path):
    path = tmp_path / "data.jsonl"
    records = [{"text": f"t{i}", "label": "none", "document": f"d{i // 2}"} for i in range(60)]
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    parts = {part: set(load_labelled(path, part).documents) for part in Part}
    assert not parts[Part.development] & parts[Part.held_out]
    assert parts[Part.development] | parts[Part.held_out] == parts[Part.all]
    assert parts[Part.held_out]


def test_a_record_without_label_is_named(tmp_path):
    (tmp_path / "data.jsonl").write_text('{"text": "a", "label": "none"}\n{"text": "b"}\n', "utf-8")
    with pytest.raises(ValueError, match="record 2 lacks label"):
        load_labelled(tmp_path / "data.jsonl")


def test_a_folder_without_seed_articles_is_refused(tmp_path):
    with pytest.raises(ValueError, match="lacks 39 of the 39 paragraphs of the seed articles"):
        load_seeds(tmp_path)


def test_seed_labels_are_whole():
    for entry in seed_labels().values():
        assert entry["label"] in LABELS and set(entry["labels"]) <= set(TYPES)
        assert (entry["label"] == "none") == (not entry["labels"])


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_keep_label_and_labels_in_agreement(name, rows):
    texts, labels = rows
    train = [
        Row(str(i), text, label, () if label == "none" else (label,), "authored", "", "", "", "", str(i), 3)
        for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    said = BASELINES[name](train, texts)
    for label, stated in zip(said.label, said.stated, strict=True):
        assert not stated.any() if label == "none" else stated[TYPES.index(label)]


def test_changes_change_what_they_say():
    text = "On Monday, Abu Karim of the Badr Corps said 1,200 men left."
    assert CHANGES["names masked"](text) == "On Xanadu, Xanadu of the Xanadu said 1,200 men left."
    assert CHANGES["numbers masked"](text) == "On Monday, Abu Karim of the Badr Corps said 7 men left."
    assert CHANGES["no punctuation"]("A-b, c.") == "A b c"


def test_tables_are_put_between_their_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- table:x -->\nold\n<!-- /table -->\nb\n", "utf-8")
    fill(page, {"x": "new"})
    assert page.read_text("utf-8") == "a\n<!-- table:x -->\nnew\n<!-- /table -->\nb\n"
    fill(page, {"y": "other"})
    assert "new" in page.read_text("utf-8")


def test_precision_and_recall_have_intervals_where_they_have_values(data):
    said = np.array(data.label)
    said[::4] = "none"
    said[said == "analysis"] = "attack_report"
    result = score(data, Answers(said, None))
    for name, figures in result["per_label"].items():
        if name == "analysis":
            assert "intervals" not in figures
            continue
        for key in ("precision", "recall"):
            low, high = figures["intervals"][key]
            assert 0 <= low <= figures[key] <= high <= 1
            assert low < high or figures[key] == 1
    assert "labels_macro_f1" not in result and "labels_macro_f1" not in result["intervals"]


def test_intervals_by_label_resample_whole_documents():
    right = np.array(["none"] * 50 + ["analysis"] * 50)
    for documents in (tuple(map(str, range(100))), tuple(str(i // 50) for i in range(100))):
        data = Labelled(("a",) * 100, ("none",) * 100, (frozenset(),) * 100, documents, ("x",) * 100)
        low, high = score(data, Answers(right, None))["per_label"]["none"]["intervals"]["recall"]
        assert (low, high) == (0, 1) if len(set(documents)) == 2 else 0.3 < low < 0.5 < high < 0.7
