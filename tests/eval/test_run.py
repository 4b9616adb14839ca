import json

import pytest

from eval.markdown import fill
from eval.report import tables
from eval.run import evaluate
from training.corpus import load_corpus

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Everything that needs no seed articles, on a twentieth of the corpus and forty of its other rows."""
    corpus = load_corpus()
    file = tmp_path_factory.mktemp("data") / "labelled.jsonl"
    other = [row for row in corpus[7::60] if row not in set(corpus[::20])][:200:5]
    records = ({"text": row.text, "label": row.label, "labels": row.labels, "source": "here/x"} for row in other)
    file.write_text("\n".join(map(json.dumps, records)), "utf-8")
    return evaluate(corpus[::20], file, None, log=lambda line: None)


def test_everything_is_scored(results):
    assert json.loads(json.dumps(results)).keys() == results.keys()
    for scores in (results["real"]["held-out"], results["real"]["development"]):
        assert scores["accurate"]["accuracy"] > scores["majority class"]["accuracy"]
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
