import json

import pytest

from eval.markdown import fill
from eval.report import tables
from eval.run import evaluate
from training.corpus import load_corpus

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Everything that needs no seed articles, on one row in sixty of the corpus and sixteen others."""
    corpus = load_corpus()
    file = tmp_path_factory.mktemp("data") / "labelled.jsonl"
    records = ({"text": row.text, "label": row.label, "source": "here/x"} for row in corpus[7::800])
    file.write_text("\n".join(map(json.dumps, records)), "utf-8")
    return evaluate(corpus[::60], file, None, log=lambda line: None)


def test_everything_is_scored(results):
    assert json.loads(json.dumps(results)).keys() == results.keys()
    for part in ("all", "development", "held-out"):
        assert results["real"][part]["accurate"]["accuracy"] > results["real"][part]["majority class"]["accuracy"]
    assert results["real"]["all"]["fast"]["rows"] == 17
    assert results["unseen"]["fast"]["all"]["rows"] == results["unseen"]["accurate"]["all"]["rows"] > 20
    assert "seeds" not in results


def test_tables_are_made_of_it(results, tmp_path):
    made = tables(results)
    assert {"real-held-out", "accurate-limits", "fast-failures", "slices", "off-topic", "drift"} <= made.keys()
    assert "corpus by region" in made["accurate-limits"] and "real text by source" in made["accurate-limits"]
    page = tmp_path / "page.md"
    page.write_text("<!-- table:cascade -->\n<!-- /table -->\n", "utf-8")
    fill(page, made)
    assert "| unsure below |" in page.read_text("utf-8")
