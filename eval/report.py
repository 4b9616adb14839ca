"""Tables in Markdown from the scores, and their places in README and cards."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from paratype import LABELS, TYPES

__all__ = ["bench_table", "fill", "scale_tables", "score_table", "tables"]

_HEADLINES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "labels_macro_f1": "macro-F1 of `labels`",
    "calibration_error": "calibration error",
    "accuracy_of_surest": "accuracy, surest 60 %",
}


def tables(results: dict[str, Any]) -> dict[str, str]:
    """Return every table by the name it has between the markers of a Markdown file."""
    words = results["cross_validation"]["fast, labels alone"]
    made = {
        "worst-confusions": _confusion_examples(words["worst_confusions"]),
        "corpus-counts": _count_table(results["corpus"]),
        "agreement": _agreement_table(results["agreement"]),
        "corpus-scores": _corpus_table(results),
        "corpus-slices": _change_table({"fast, labels alone": words["slices"]}),
        "off-topic": _off_topic_table(results["off_topic"]),
        "hardware": f"Measured on {results['hardware']['processor']}.",
        "drift": f"Balanced accuracy: {results['drift']:.2f}." if "drift" in results else "Not measured.",
    }
    if "real" in results:
        for part, scores in results["real"].items():
            made[f"real-{part}"] = score_table(scores)
        made["robustness"] = _change_table(results["robustness"])
        made["cascade"] = _cascade_table(results["cascade"]["held-out"])
        made["without"] = _without_table(results["without"])
        made["slices"] = _change_table(results["slices"])
        for name in ("accurate", "auto", "fast"):
            made[f"{name}-labels"] = _label_table(results["real"]["held-out"][name])
            made[f"{name}-review"] = _review_sentence(results["real"]["held-out"][name]["review"])
            made[f"{name}-confusion"] = _confusion_table(results["real"]["held-out"][name])
    if results.get("curve"):
        made["curve"] = _curve_table(results["curve"])
    if results.get("bench"):
        made["bench"] = bench_table(results["bench"])
    if "seeds" in results:
        made["seeds"] = score_table(results["seeds"])
    return made


def score_table(scores: dict[str, Any]) -> str:
    """Return headline scores with their intervals, a line per model."""
    rows = []
    for name, result in scores.items():
        cells = []
        for key in _HEADLINES:
            if key in result:
                low, high = result["intervals"][key]
                cells.append(f"{result[key]:.2f} ({low:.2f}–{high:.2f})")
            else:
                cells.append("–")
        rows.append([name, *cells])
    count = next(iter(scores.values()))["rows"]
    return _table([f"{count} paragraphs", *_HEADLINES.values()], rows)


def _count_table(corpus: dict[str, Any]) -> str:
    counts = corpus["by_origin_and_label"]
    rows = [
        [origin, *(str(by_label.get(name, 0)) for name in LABELS), str(sum(by_label.values()))]
        for origin, by_label in counts.items()
    ]
    note = (
        f"\n\n{corpus['hard']} of the authored rows are hard: keyword rules get them wrong, they state several types, "
        "or they stand in a contrast set."
    )
    return _table(["origin", *LABELS, "all"], rows) + note


def _agreement_table(result: dict[str, Any]) -> str:
    rows = [
        [
            pair,
            str(scores["rows"]),
            f"{scores['agreement']:.3f}",
            f"{scores['kappa']:.3f}",
            *(f"{scores['kappa_of_types'][name]:.3f}" for name in TYPES),
        ]
        for pair, scores in result["pairs"].items()
    ]
    settled = result["settled"]
    note = (
        f"\n\nOf {sum(settled.values())} rows read, {settled.get('3', 0)} got the same label from all three readings, "
        f"{settled.get('2', 0)} from two, and {settled.get('1', 0)} were dropped."
    )
    header = ["readers", "rows", "same `label`", "Cohen's kappa", *(f"kappa of `{name}`" for name in TYPES)]
    return _table(header, rows) + note


def _off_topic_table(results: dict[str, Any]) -> str:
    rows = [
        [name, str(result["rows"]), f"{result['none']:.2f}", ", ".join(f"{n} {label}" for label, n in wrong)]
        for name, result in results.items()
        for wrong in [sorted((label, n) for label, n in result["said"].items() if label != "none")]
    ]
    return _table(["off-topic text", "paragraphs", "stay none", "taken for"], rows)


def _corpus_table(results: dict[str, Any]) -> str:
    rows = [
        [
            name,
            *(f"{parts[part]['accuracy']:.2f} / {parts[part]['macro_f1']:.2f}" for part in ("all", "authored", "seed")),
        ]
        for name, parts in results["cross_validation"].items()
    ]
    return _table(["accuracy / macro-F1", "all rows", "authored", "seed"], rows)


def _confusion_examples(confusions: list[dict[str, Any]]) -> str:
    rows = [[c["label"], c["said"], str(c["rows"]), c["example"].replace("|", "/")] for c in confusions]
    return _table(["label", "said", "rows", "for example"], rows)


def _without_table(scores: dict[str, Any]) -> str:
    rows = [[name, f"{result['accuracy']:.3f}", f"{result['macro_f1']:.3f}"] for name, result in scores.items()]
    return _table(["corpus file left out", "accuracy", "macro-F1"], rows)


def _curve_table(points: list[dict[str, Any]]) -> str:
    models = list(dict.fromkeys(point["model"] for point in points))
    scores = {(point["rows"], point["model"]): f"{point['accuracy']:.2f} / {point['macro_f1']:.2f}" for point in points}
    sizes = sorted({point["rows"] for point in points})
    rows = [[str(size), *(scores.get((size, model), "–") for model in models)] for size in sizes]
    return _table(["authored rows (accuracy / macro-F1)", *models], rows)


def _change_table(by_model: dict[str, Any]) -> str:
    names = next(iter(by_model.values()))
    rows = [
        [
            name,
            str(names[name]["rows"]),
            *(f"{scores[name]['accuracy']:.2f} / {scores[name]['macro_f1']:.2f}" for scores in by_model.values()),
        ]
        for name in names
    ]
    return _table(["accuracy / macro-F1", "paragraphs", *by_model], rows)


def _label_table(result: dict[str, Any]) -> str:
    rows = [
        [name, *(f"{scores[key]:.2f}" for key in ("precision", "recall", "f1")), str(scores["rows"])]
        for name, scores in result["per_label"].items()
    ]
    return _table(["label", "precision", "recall", "F1", "paragraphs"], rows)


def _cascade_table(cuts: list[dict[str, float]]) -> str:
    rows = [
        [
            f"{cut['unsure_below']:.2f}",
            f"{cut['passed_on']:.0%}",
            f"{cut['accuracy']:.3f}",
            f"{cut['macro_f1']:.3f}",
            f"{cut['paragraphs_per_second']:,.0f}",
        ]
        for cut in cuts
    ]
    return _table(["unsure below", "passed on", "accuracy", "macro-F1", "paragraphs a second"], rows)


def _review_sentence(review: dict[str, Any]) -> str:
    flagged, others = review["accuracy_of_flagged"], review["accuracy_of_others"]
    return (
        f"{review['share']:.0%} of the held-out paragraphs are flagged for review: {flagged:.2f} of their labels are "
        f"right, of the others {others:.2f}."
    )


def _confusion_table(result: dict[str, Any]) -> str:
    rows = [[name, *map(str, counts)] for name, counts in zip(LABELS, result["confusion"], strict=True)]
    return _table(["true \\ said", *LABELS], rows)


def bench_table(bench: dict[str, Any]) -> str:
    """Return speeds beside other libraries, start-up times, and the run from disk to disk, with what was measured."""
    hardware, text = bench["hardware"], bench["text"]
    parts = [
        f"Measured on {hardware['processor']}. Text: {text['source']}, {text['mean_words']:.0f} words and "
        f"{text['mean_bytes']:.0f} bytes a paragraph. One core each if not said otherwise; medians of "
        f"{bench['rounds']} rounds in which all took turns, lowest and highest in brackets.",
        *(_speed_table(bench, group) for group in ("words", "encoders")),
        _start_table(bench["start"]),
        _disk_sentence(bench["disk"], hardware["cores"]),
        " ".join(f"Left out: {name} ({reason})." for name, reason in bench["left_out"].items()),
        f"Python {bench['python']}, " + ", ".join(f"{name} {number}" for name, number in bench["versions"].items()),
    ]
    return "\n\n".join(part for part in parts if part)


def _speed_table(bench: dict[str, Any], group: str) -> str:
    contenders = {name: result for name, result in bench["contenders"].items() if result["group"] == group}
    if not contenders:
        return ""
    first, reference = next(iter(contenders.values())), bench["references"][group]
    has_share = any(result["share_of_bare_pass"] for result in contenders.values())
    rows = [
        [
            name,
            _with_spread(result["per_second"], ",.0f"),
            f"{result['ratio']:.2f}" if result["ratio"] else "–",
            *([f"{result['bytes_per_second']['median'] / 1e6:,.1f}"] if has_share else []),
            *([f"{result['share_of_bare_pass']:.1%}"] if has_share else []),
        ]
        for name, result in contenders.items()
    ]
    header = [f"{first['rows']} paragraphs", "paragraphs a second", f"times {reference}"]
    return _table([*header, *(["MB a second", "share of the bare pass"] if has_share else [])], rows)


def _start_table(start: dict[str, Any]) -> str:
    rows = [[f"`{name}`", _with_spread(times, ".3f"), f"{times['ratio']:.2f}"] for name, times in start.items()]
    return _table(["fresh process", "seconds", "times the first"], rows) if rows else ""


def _disk_sentence(disk: dict[str, Any] | None, cores: int) -> str:
    if disk is None:
        return ""
    return (
        f"`paratype label` with the word model and {cores} cores, {disk['rows']} rows from a JSON lines file to a "
        f"Parquet file: {disk['rows_per_second']:,.0f} rows a second, {disk['peak_mebibytes']:.0f} MiB at the peak."
    )


def scale_tables(scale: dict[str, Any]) -> dict[str, str]:
    """Return the tables of docs/scale.md: what each run took, where the time goes, sizes of batches, costs."""
    return {
        "scale": _scale_table(scale),
        "scale-stages": _stages_table(scale["stages"]),
        "scale-batches": _batches_table(scale["batches"]),
        "scale-cost": _cost_table(scale),
    }


def _scale_table(scale: dict[str, Any]) -> str:
    text, hardware = scale["text"], scale["hardware"]
    rows = [
        [
            f"{run['engine']}, {run['model']}",
            f"{run['workers']}",
            f"{run['rows']:,}",
            f"{run['start']:.0f}",
            f"{run['seconds']:,.0f}",
            f"{run['rows'] / run['seconds']:,.0f}",
            f"{run['processor_seconds'] * 1e6 / run['rows']:,.0f}",
            f"{run['worker_mebibytes']:,.0f}",
            f"{run['load']:.0f}",
        ]
        for run in scale["runs"]
    ]
    header = ["", "workers", "rows", "start, s", "job, s", "rows a second", "core-seconds a million", "MiB a worker"]
    note = (
        f"Measured on {hardware['processor']}, with {text['mean_words']:.0f} words and {text['mean_bytes']:.0f} bytes "
        f"a paragraph in {text['files']} Parquet files, {text['distinct']:,} of the paragraphs distinct. "
    )
    return note + "\n\n" + _table([*header, "load before"], rows)


def _stages_table(stages: dict[str, dict[str, float]]) -> str:
    rows = [
        [model, *(f"{seconds * 1e6:,.1f} ({seconds / sum(times.values()):.0%})" for seconds in times.values())]
        for model, times in stages.items()
    ]
    return _table(["core-seconds a million (share)", *next(iter(stages.values()))], rows)


def _batches_table(rates: dict[str, float]) -> str:
    rows = [[f"{int(size):,}", f"{rate:,.0f}"] for size, rate in rates.items()]
    return _table(["rows in a batch", "rows a core-second, fast"], rows)


def _cost_table(scale: dict[str, Any]) -> str:
    price = scale["price"]
    rows = [
        [
            f"{engine}, {model}",
            *(_cost(scale["runs"], engine, model, number, price) for number in (10**4, 10**6, 10**8, 10**10)),
        ]
        for model in ("fast", "accurate")
        for engine in dict.fromkeys(run["engine"] for run in scale["runs"])
    ]
    note = (
        f"At {price} an hour for one core, which is an assumption (`--price`), in its currency: core-hours, then cost."
    )
    header = ["", "10 thousand", "1 million", "100 million", "10 billion"]
    return note + "\n\n" + _table(header, rows)


def _cost(runs: list[dict[str, Any]], engine: str, model: str, number: int, price: float) -> str:
    """Return the core-hours of so many paragraphs and what they cost, by the processor time on most workers."""
    run = [run for run in runs if (run["engine"], run["model"]) == (engine, model)][-1]
    hours = run["processor_seconds"] / run["rows"] * number / 3600
    return f"{_amount(hours)} h, {_amount(hours * price)}"


def _amount(value: float) -> str:
    return "< 0.01" if value < 0.01 else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def _with_spread(values: dict[str, float], digits: str) -> str:
    return f"{values['median']:{digits}} ({values['low']:{digits}}–{values['high']:{digits}})"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    header = list(header)
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fill(path: Path, made: dict[str, str]) -> None:
    """Put each table between its markers, ``<!-- table:NAME -->`` and ``<!-- /table -->``, in a Markdown file.

    What stands between the markers of a table that was not made stays.
    """

    def replace(match: re.Match[str]) -> str:
        if match[1] not in made:
            return match[0]
        return f"<!-- table:{match[1]} -->\n{made[match[1]]}\n<!-- /table -->"

    text = path.read_text("utf-8")
    path.write_text(re.sub(r"<!-- table:([\w-]+) -->\n.*?<!-- /table -->", replace, text, flags=re.DOTALL), "utf-8")
