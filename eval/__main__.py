"""`python -m eval`: score the saved models and write the tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from eval.data import REAL, SEEDS

app = typer.Typer(help="What the models are worth.", no_args_is_help=True, add_completion=False)

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]


@app.callback()
def _commands() -> None:
    pass


@app.command()
def run(
    data: Annotated[Path, typer.Option(help="Labelled JSON lines file: text, label, labels, document.")] = REAL,
    seeds: Annotated[Path, typer.Option(help="Folder with the original seed articles.")] = SEEDS,
) -> None:
    """Score models and baselines; write eval/results/ and the tables in README and cards.

    Without the labelled file or the articles, what needs them is left out.
    """
    from eval.report import fill, tables
    from eval.run import evaluate
    from training.corpus import load_corpus

    results = evaluate(load_corpus(), data if data.is_file() else None, seeds if seeds.is_dir() else None, log=print)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "scores.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    made = tables(results)
    (RESULTS / "tables.md").write_text(
        "\n\n".join(f"## {name}\n\n{table}" for name, table in made.items()) + "\n", "utf-8"
    )
    for path in [ROOT / "README.md", *ROOT.glob("artifacts/*/README.md"), ROOT / "training/corpus/README.md"]:
        fill(path, made)
    print(made.get("real-held-out", made["corpus-scores"]))


if __name__ == "__main__":
    app()
