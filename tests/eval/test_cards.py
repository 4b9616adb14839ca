import json
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard, ModelCard

from eval.cards import with_scores

ROOT = Path(__file__).parents[2]
MODELS = ("accurate", "auto", "fast")
PLAIN = "---\nlanguage: en\n---\n\n# card\n\n---\n\nmodel-index: in the text\n"
METRICS = {"data": "a file: of 5 paragraphs", "accuracy": 0.5, "macro_f1": 0.25, "unknown": 1.0}


@pytest.mark.parametrize("name", MODELS)
def test_model_cards_say_what_metrics_say(name):
    card = ModelCard.load(ROOT / "artifacts" / name / "README.md")
    metrics = json.loads((ROOT / "artifacts" / name / "metrics.json").read_text("utf-8"))
    assert card.data.pipeline_tag == "text-classification" and card.data.language == "en" and card.data.license
    assert card.data.model_name == name
    assert [result.metric_value for result in card.data.eval_results] == [
        value for value in metrics.values() if isinstance(value, float)
    ]
    assert {result.dataset_name for result in card.data.eval_results} == {metrics["data"]}


def test_the_dataset_card_has_the_metadata_of_the_hub():
    card = DatasetCard.load(ROOT / "training" / "corpus" / "README.md")
    assert card.data.size_categories == ["10K<n<100K"]
    assert card.data.language == "en" and card.data.license == "mit" and card.data.pretty_name


def test_scores_go_into_the_metadata_and_nowhere_else():
    card = with_scores(PLAIN, "small", METRICS)
    assert card.endswith(PLAIN.partition("\n---\n")[2])
    assert ModelCard(card).data.eval_results[0].metric_value == 0.5
    assert [result.metric_type for result in ModelCard(card).data.eval_results] == ["accuracy", "f1"]


def test_filling_a_card_again_changes_what_changed():
    once = with_scores(PLAIN, "small", METRICS)
    assert with_scores(once, "small", METRICS) == once
    assert with_scores(once, "small", METRICS | {"accuracy": 0.75}) == once.replace("0.5\n", "0.75\n")


def test_a_card_without_metadata_is_refused():
    with pytest.raises(ValueError, match="begins with metadata"):
        with_scores("# card\n", "small", METRICS)
