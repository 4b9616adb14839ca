"""`python -m eval`: score the saved models and write the tables."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.data import REAL, SEEDS
from paratype.artifact import shipped_models

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
    from eval.run import evaluate
    from training.corpus import load_corpus

    results = evaluate(load_corpus(), data if data.is_file() else None, seeds if seeds.is_dir() else None, log=print)
    _write("scores.json", results)
    made = _publish()
    for name, scores in results.get("real", {}).get("held-out", {}).items():
        if (ROOT / "artifacts" / name).is_dir():
            headline = {key: round(value, 4) for key, value in scores.items() if isinstance(value, float)}
            where = f"held-out part of {data.name}, {scores['rows']} paragraphs"
            _write("metrics.json", {"data": where, **headline}, ROOT / "artifacts" / name)
    print(made.get("real-held-out", made["corpus-scores"]))


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="Labelled JSON lines file: text, label; labels and document if known.")],
) -> None:
    """Score the saved models on all of a labelled file and print the table; nothing is written."""
    from eval.data import load_labelled
    from eval.metrics import score as scores_of
    from eval.report import score_table
    from eval.run import answers_of
    from paratype import load

    data = load_labelled(file)
    print(score_table({name: scores_of(data, answers_of(load(name), data.texts)) for name in shipped_models()}))


@app.command()
def curve(
    data: Annotated[Path, typer.Option(help="Labelled JSON lines file.")] = REAL,
    encoder: Annotated[bool, typer.Option(help="Fine-tune the encoder at each size too; takes about an hour.")] = False,
) -> None:
    """Score models trained on 1/128 up to all of the authored rows, and write the table."""
    from eval.curve import learning_curve
    from training.corpus import load_corpus

    _write("curve.json", learning_curve(load_corpus(), data, encoder=encoder, log=print))
    _publish()


@app.command()
def bench(
    text: Annotated[Path | None, typer.Option(help="JSON lines file with `text`; generated if not given.")] = None,
    rows: Annotated[int, typer.Option(help="How many paragraphs, at most.", min=1)] = 20000,
    rounds: Annotated[int, typer.Option(help="How often each contender scores them.", min=1)] = 5,
    slow_rows: Annotated[int, typer.Option(help="How many of them the encoders score.", min=1)] = 200,
    start_runs: Annotated[int, typer.Option(help="How often each command is started; 0 for none.", min=0)] = 5,
    disk_rows: Annotated[int, typer.Option(help="Rows to label from disk to disk; 0 for none.", min=0)] = 200000,
) -> None:
    """Time Paratype and what a user would pick instead, in turn on one core each, and write the table.

    Contenders come with the extra `bench`; those that are not installed are left out.
    """
    from eval.bench import bench, generated
    from eval.report import bench_table
    from training.corpus import load_corpus, read_rows

    corpus = load_corpus()
    texts = [record["text"] for record in read_rows(text)][:rows] if text else generated(corpus, rows)
    sizes = {"rounds": rounds, "slow_rows": slow_rows, "start_runs": start_runs, "disk_rows": disk_rows}
    results = bench(corpus, texts, source=text.name if text else "generated", **sizes)
    _write("bench.json", results)
    print(bench_table(results))
    _publish()


@app.command()
def scale(
    rows: Annotated[int, typer.Option(help="How many paragraphs the word model labels.", min=1)] = 1_000_000,
    slow_rows: Annotated[int, typer.Option(help="How many the accurate model labels.", min=1)] = 2000,
    files: Annotated[int, typer.Option(help="How many Parquet files they stand in.", min=1)] = 64,
    engine: Annotated[
        list[str] | None, typer.Option(help="Time this one alone, and keep what is stored of others. Repeatable.")
    ] = None,
    price: Annotated[
        float, typer.Option(help="Of one core for one hour, for the costs; an assumption, not anyone's offer.", min=0)
    ] = 0.05,
) -> None:
    """Time `paratype label`, Spark, Ray and Dask on one and two cores, and fill the tables of docs/scale.md.

    The engines come with the extra `engines`; those that are not installed are left out.
    """
    from eval.report import fill, scale_tables
    from eval.scale import ENGINES, scale
    from training.corpus import load_corpus

    engines = engine or list(ENGINES)
    if unknown := set(engines) - set(ENGINES):
        raise typer.BadParameter(f"expected some of {', '.join(ENGINES)}, got {', '.join(unknown)}")
    results = scale(load_corpus(), rows=rows, slow_rows=slow_rows, files=files, engines=engines) | {"price": price}
    kept = [run for run in (_read("scale.json") or {"runs": []})["runs"] if run["engine"] not in engines]
    order = list(ENGINES)
    results["runs"] = sorted(kept + results["runs"], key=lambda run: order.index(run["engine"]))
    _write("scale.json", results)
    made = scale_tables(results)
    fill(ROOT / "docs" / "scale.md", made)
    print(made["scale"])


def _publish() -> dict[str, str]:
    """Write all tables from the stored results, and fill them into README and cards."""
    from eval.report import fill, tables

    results = _read("scores.json") | {"curve": _read("curve.json"), "bench": _read("bench.json")}
    made = tables(results) | {"example": _example()}
    sections = (f"## {name}\n\n{table}" for name, table in made.items())
    (RESULTS / "tables.md").write_text("\n\n".join(sections) + "\n", "utf-8")
    for path in [ROOT / "README.md", *ROOT.glob("artifacts/*/README.md"), ROOT / "training/corpus/README.md"]:
        fill(path, made)
    return made


def _example() -> str:
    """Return what `paratype label` prints for the example article."""
    paratype = str(Path(sys.executable).with_name("paratype"))
    command = [paratype, "label", "--quiet", "--format", "table", "examples/article.txt"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return "```\n" + "\n".join(line.rstrip() for line in printed.rstrip().splitlines()) + "\n```"


def _write(name: str, content: Any, folder: Path = RESULTS) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def _read(name: str) -> Any:
    path = RESULTS / name
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


if __name__ == "__main__":
    app()
