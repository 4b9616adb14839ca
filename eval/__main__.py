"""`python -m eval`: score the saved models and write the tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.data import REAL, SEEDS

app = typer.Typer(help="What the models are worth.", no_args_is_help=True, add_completion=False)

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]


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
    _write("scores.json", results)
    made = tables(results | {"curve": _read("curve.json")})
    sections = (f"## {name}\n\n{table}" for name, table in made.items())
    (RESULTS / "tables.md").write_text("\n\n".join(sections) + "\n", "utf-8")
    for path in [ROOT / "README.md", *ROOT.glob("artifacts/*/README.md"), ROOT / "training/corpus/README.md"]:
        fill(path, made)
    for name, scores in results.get("real", {}).get("held-out", {}).items():
        if (ROOT / "artifacts" / name).is_dir():
            headline = {key: round(value, 4) for key, value in scores.items() if isinstance(value, float)}
            where = f"held-out part of {data.name}, {scores['rows']} paragraphs"
            _write("metrics.json", {"data": where, **headline}, ROOT / "artifacts" / name)
    print(made.get("real-held-out", made["corpus-scores"]))


@app.command()
def curve(
    data: Annotated[Path, typer.Option(help="Labelled JSON lines file.")] = REAL,
    encoder: Annotated[bool, typer.Option(help="Fine-tune the encoder at each size too; takes about an hour.")] = False,
) -> None:
    """Score models trained on 1/128 up to all of the authored rows; `run` makes the table."""
    from eval.curve import learning_curve
    from training.corpus import load_corpus

    _write("curve.json", learning_curve(load_corpus(), data, encoder=encoder, log=print))


def _write(name: str, content: Any, folder: Path = RESULTS) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def _read(name: str) -> Any:
    path = RESULTS / name
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


if __name__ == "__main__":
    app()
