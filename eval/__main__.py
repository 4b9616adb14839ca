"""`python -m eval`: score the saved models and write the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from eval.data import REAL, SEEDS
from eval.publish import ROOT, draw_pictures, publish, read, write
from paratype.artifact import shipped_models

app = typer.Typer(help="What the models are worth.", no_args_is_help=True, add_completion=False)


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
    write("scores.json", results)
    for name, scores in results.get("real", {}).get("held-out", {}).items():
        if (ROOT / "artifacts" / name).is_dir():
            headline = {key: round(value, 4) for key, value in scores.items() if isinstance(value, float)}
            where = f"held-out part of {data.name}, {scores['rows']} paragraphs"
            write("metrics.json", {"data": where, **headline}, ROOT / "artifacts" / name)
    made = publish()
    print(made.get("real-held-out", made["corpus-scores"]))


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="Labelled JSON lines file: text, label; labels and document if known.")],
) -> None:
    """Score the saved models on all of a labelled file and print the table; nothing is written."""
    from eval.answers import answers_of
    from eval.data import load_labelled
    from eval.metrics import score as scores_of
    from eval.report import score_table
    from paratype import load

    data = load_labelled(file)
    print(score_table({name: scores_of(data, answers_of(load(name), data.texts)) for name in shipped_models()}))


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="A shipped model's name or a model folder.")],
    after: Annotated[str, typer.Argument(help="The model to compare with it.")],
    file: Annotated[Path, typer.Argument(help="Labelled JSON lines file: text, label; labels and document if known.")],
) -> None:
    """Score two models on the same rows, and print what changed, with intervals of the differences."""
    from eval.answers import answers_of
    from eval.compare import compare as compared
    from eval.data import load_labelled
    from eval.report import compare_table
    from paratype import LABELS, ModelRefused, load

    try:
        models = [load(name) for name in (before, after)]
        data = load_labelled(file)
    except (ModelRefused, ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    for name, model in zip((before, after), models, strict=True):
        if model.decision.outcomes != LABELS:
            typer.echo(
                f"error: {name} gives {', '.join(model.decision.outcomes)}; expected {', '.join(LABELS)}", err=True
            )
            raise typer.Exit(1)
    print(compare_table(compared(data, *(answers_of(model, data.texts) for model in models))))


@app.command()
def loop(
    data: Annotated[Path, typer.Option(help="Labelled JSON lines file: text, label, labels, document, source.")] = REAL,
    rows: Annotated[int, typer.Option(help="How many rows to look at in each source.", min=1)] = 100,
    source: Annotated[
        list[str] | None, typer.Option(help="Take this source; may be given again. All if not given.")
    ] = None,
) -> None:
    """Walk from labels to corrections to new models and back on real text, and write the table.

    The labels of the development part of the file play the person who corrects. All is done in a temporary folder.
    """
    from eval.loop import walk

    for results in walk(data, rows, only=source or (), log=print):
        write("loop.json", results)
    print(publish()["loop"])


@app.command()
def curve(
    data: Annotated[Path, typer.Option(help="Labelled JSON lines file.")] = REAL,
    encoder: Annotated[bool, typer.Option(help="Fine-tune the encoder at each size too; takes about an hour.")] = False,
) -> None:
    """Score models trained on 1/128 up to all of the authored rows, and write the table."""
    from eval.curve import learning_curve
    from training.corpus import load_corpus

    points = []
    for point in learning_curve(load_corpus(), data, encoder=encoder):
        print(point)
        points.append(point)
    write("curve.json", points)
    publish()


@app.command()
def evidence() -> None:
    """Score the sentences that the models name against those that two readers marked, and write the table."""
    from eval.evidence import evaluate_evidence
    from paratype import load
    from training.corpus import load_corpus

    models = {name: load(name) for name in ("accurate", "auto", "fast")}
    write("evidence.json", evaluate_evidence(load_corpus(), models))
    print(publish()["evidence"])


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
    write("bench.json", results)
    print(bench_table(results))
    publish()


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
    from eval.scale import ENGINES, scale
    from training.corpus import load_corpus

    engines = engine or list(ENGINES)
    if unknown := set(engines) - set(ENGINES):
        raise typer.BadParameter(f"expected some of {', '.join(ENGINES)}, got {', '.join(unknown)}")
    results = scale(load_corpus(), rows=rows, slow_rows=slow_rows, files=files, engines=engines) | {"price": price}
    kept = [run for run in (read("scale.json") or {"runs": []})["runs"] if run["engine"] not in engines]
    order = list(ENGINES)
    results["runs"] = sorted(kept + results["runs"], key=lambda run: order.index(run["engine"]))
    write("scale.json", results)
    print(publish()["scale"])


@app.command()
def readme(
    picture: Annotated[bool, typer.Option(help="Take the picture of the reading view; needs Chromium.")] = True,
) -> None:
    """Put anew into the README what it shows of the command line: picture, example, and table of commands."""
    from eval.markdown import fill
    from eval.picture import take_picture
    from eval.publish import of_command_line

    fill(ROOT / "README.md", of_command_line())
    if picture:
        take_picture(ROOT / "examples" / "article.txt", ROOT / "docs" / "reading-view.png")


@app.command()
def peers(
    data: Annotated[Path, typer.Option(help="Labelled JSON lines file.", exists=True)] = REAL,
    rows: Annotated[int | None, typer.Option(help="Train on so many rows, as a trial: nothing is written.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Measure this one alone; the others' figures stay.")] = None,
) -> None:
    """Train what a user would pick instead on the corpus, score it beside Paratype, and write the table.

    Takes about a quarter of an hour on two cores that are free. The others come with the extra `bench`; those that
    are not installed are left out.
    """
    import random

    from eval.data import Part, load_labelled
    from eval.peers.all import PEERS
    from eval.peers.measure import compare
    from eval.peers.table import peers_table
    from training.corpus import load_corpus

    if unknown := set(only or ()) - set(PEERS):
        raise typer.BadParameter(f"no peer is called {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    corpus = load_corpus()
    train = corpus if rows is None else random.Random(0).sample(corpus, min(rows, len(corpus)))
    parts = [load_labelled(data, part) for part in (Part.development, Part.held_out)]
    results = read("peers.json") if only and rows is None else None
    for name in only or PEERS:
        results = _with_others(compare(train, *parts, names=[name], log=print), results, list(PEERS))
        if rows is None:  # after each, so that a run that is stopped can go on with --only
            write("peers.json", results)
    print(peers_table(results))
    if rows is None:
        publish()


def _with_others(results: dict[str, Any], stored: dict[str, Any] | None, order: list[str]) -> dict[str, Any]:
    """Return new results with the stored ones of those that were not measured again."""
    if stored is None:
        return results
    merged = {key: {**stored[key], **results[key]} for key in ("peers", "left_out", "versions")}
    merged["peers"] = {name: merged["peers"][name] for name in order if name in merged["peers"]}
    merged["left_out"] = {name: why for name, why in merged["left_out"].items() if name not in results["peers"]}
    return results | merged


@app.command()
def pictures() -> None:
    """Draw the stored results anew, into artifacts/ and docs/pictures/ (needs the extra `eval`)."""
    for path in draw_pictures():
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    app()
