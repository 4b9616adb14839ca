"""Tables in Markdown from the scores."""

from __future__ import annotations

from typing import Any

from eval.markdown import table
from eval.peers.table import peers_table
from eval.scale_tables import scale_tables
from paratype import LABELS, TYPES

__all__ = ["bench_table", "command_table", "compare_table", "score_table", "tables"]

_HEADLINES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "labels_macro_f1": "macro-F1 of `labels`",
    "calibration_error": "calibration error",
    "accuracy_of_surest": "accuracy, surest 60 %",
}


# How many confusions a card names, and how many paragraphs a slice must have to be named in one.
_FAILURES, _FEWEST = 6, 20


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
    for name, unseen in results.get("unseen", {}).items():
        made[f"{name}-failures"] = _confusion_examples(unseen["confusions"][:_FAILURES])
        made[f"{name}-limits"] = _limits_table(unseen["slices"], results.get("slices", {}).get(name, {}))
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
    if results.get("evidence"):
        made["evidence"] = _evidence_table(results["evidence"])
        made["evidence-rules"] = _rule_table(results["evidence"]["rules"])
        made["evidence-readers"] = _reader_sentence(results["evidence"]["readers"])
    if results.get("loop"):
        made["loop"] = _loop_table(results["loop"])
    if results.get("scale"):
        made |= scale_tables(results["scale"])
    if results.get("peers"):
        made["peers"] = peers_table(results["peers"])
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
    return table([f"{count} paragraphs", *_HEADLINES.values()], rows)


def compare_table(result: dict[str, Any]) -> str:
    """Return the scores of two models on the same rows, with the intervals of their differences."""
    rows = []
    for key, scores in result["scores"].items():
        count = f" ({scores['rows']} paragraphs)" if "rows" in scores else ""
        name = f"F1 of `{key}`{count}" if count else _HEADLINES[key]
        rows.append([name, f"{scores['before']:.3f}", f"{scores['after']:.3f}", _difference(scores)])
    changed = result["changed"]
    note = (
        f"\n\nOf the labels, {changed['mended']} were wrong and are right, {changed['broken']} were right and are "
        f"wrong, {changed['other']} are wrong in another way. In brackets 95 % intervals of the difference, by "
        f"resampling the {result['documents']} documents for both models together."
    )
    return table([f"{result['rows']} paragraphs", "before", "after", "difference"], rows) + note


def _difference(scores: dict[str, Any]) -> str:
    low, high = scores["interval"]
    return f"{scores['difference']:+.3f} ({low:+.3f} to {high:+.3f})"


def _loop_table(results: dict[str, Any]) -> str:
    rows = []
    for result in results["walks"]:
        for model, compared in result["models"].items():
            scores = compared["scores"]
            cells = [f"{scores[key]['before']:.3f} → {scores[key]['after']:.3f}" for key in ("accuracy", "macro_f1")]
            numbers = [f"{result['looked_at']} of {result['of']}", str(result["changed"]), str(compared["rows"])]
            rows.append([result["source"], model, *numbers, *cells, _difference(scores["accuracy"])])
    header = ["source", "model", "rows looked at", "labels changed", "scored on", "accuracy", "macro-F1"]
    times = (
        f"{result['source']} {result['training']['processor_seconds']:.0f} s of processor time, "
        f"{result['training']['seconds']:.0f} s by the clock"
        for result in results["walks"]
    )
    note = (
        "\n\nIn brackets 95 % intervals of the difference, by resampling documents for both models together. Training "
        f"took, on {results['cores']} cores, the first time with all vectors: {'; '.join(times)}."
    )
    return table([*header, "difference in accuracy"], rows) + note


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
    return table(["origin", *LABELS, "all"], rows) + note


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
    return table(header, rows) + note


def _off_topic_table(results: dict[str, Any]) -> str:
    rows = [
        [name, str(result["rows"]), f"{result['none']:.2f}", ", ".join(f"{n} {label}" for label, n in wrong)]
        for name, result in results.items()
        for wrong in [sorted((label, n) for label, n in result["said"].items() if label != "none")]
    ]
    return table(["off-topic text", "paragraphs", "stay none", "taken for"], rows)


def _corpus_table(results: dict[str, Any]) -> str:
    rows = [
        [
            name,
            *(f"{parts[part]['accuracy']:.2f} / {parts[part]['macro_f1']:.2f}" for part in ("all", "authored", "seed")),
        ]
        for name, parts in results["cross_validation"].items()
    ]
    return table(["accuracy / macro-F1", "all rows", "authored", "seed"], rows)


def _confusion_examples(confusions: list[dict[str, Any]]) -> str:
    rows = [[c["label"], c["said"], str(c["rows"]), c["example"].replace("|", "/")] for c in confusions]
    return table(["label", "said", "rows", "for example"], rows)


def _limits_table(of_corpus: dict[str, Any], of_real: dict[str, Any]) -> str:
    """Return a line per kind of slice, each with its slices from the weakest to the strongest."""
    rows = []
    for title, slices in (("real text", of_real), ("corpus", of_corpus)):
        for kind in dict.fromkeys(name.split(" ", 1)[0] for name in slices):
            of_kind = [(name.removeprefix(f"{kind} "), s) for name, s in slices.items() if name.startswith(f"{kind} ")]
            shown = sorted((s["accuracy"], name, s["rows"]) for name, s in of_kind if s["rows"] >= _FEWEST and name)
            rows.append([f"{title} by {kind}", ", ".join(f"{name} {right:.2f} ({n})" for right, name, n in shown)])
    return table(["", f"accuracy, weakest first (paragraphs, at least {_FEWEST})"], rows)


def _without_table(scores: dict[str, Any]) -> str:
    rows = [[name, f"{result['accuracy']:.3f}", f"{result['macro_f1']:.3f}"] for name, result in scores.items()]
    return table(["corpus file left out", "accuracy", "macro-F1"], rows)


def _curve_table(points: list[dict[str, Any]]) -> str:
    models = list(dict.fromkeys(point["model"] for point in points))
    scores = {(point["rows"], point["model"]): f"{point['accuracy']:.2f} / {point['macro_f1']:.2f}" for point in points}
    sizes = sorted({point["rows"] for point in points})
    rows = [[str(size), *(scores.get((size, model), "–") for model in models)] for size in sizes]
    return table(["authored rows (accuracy / macro-F1)", *models], rows)


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
    return table(["accuracy / macro-F1", "paragraphs", *by_model], rows)


def _label_table(result: dict[str, Any]) -> str:
    rows = [
        [name, *(f"{scores[key]:.2f}" for key in ("precision", "recall", "f1")), str(scores["rows"])]
        for name, scores in result["per_label"].items()
    ]
    return table(["label", "precision", "recall", "F1", "paragraphs"], rows)


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
    return table(["unsure below", "passed on", "accuracy", "macro-F1", "paragraphs a second"], rows)


def _evidence_table(result: dict[str, Any]) -> str:
    held_out, development = result["halves"]["held-out"], result["halves"]["development"]
    rows = []
    for name, scores in held_out.items():
        right = f"{scores['label_right']:.0%}" if "label_right" in scores else "–"
        over = _share_with_interval(scores["over_longest"], "+.2f") if "over_longest" in scores else "–"
        rows.append([name, _share_with_interval(scores), over, _share_with_interval(development[name]), right])
    counts = [next(iter(half.values()))["rows"] for half in (held_out, development)]
    header = ["agrees with the readers", f"held out: {counts[0]}", "over the longest", f"chosen on: {counts[1]}"]
    cost = "; ".join(
        f"{name} {_two_digits(c['with'])}, without {_two_digits(c['without'])}" for name, c in result["cost"].items()
    )
    return (
        table([*header, "label right"], rows)
        + f"\n\nParagraphs a second of one processor's time with evidence: {cost}."
    )


def _rule_table(by_model: dict[str, Any]) -> str:
    rules = dict.fromkeys(rule for scores in by_model.values() for rule in scores)
    rows = [
        [rule, *(_share_with_interval(scores[rule]) if rule in scores else "–" for scores in by_model.values())]
        for rule in rules
    ]
    count = by_model["fast"][next(iter(rules))]["rows"]
    return table([f"{count} paragraphs, largest", *by_model], rows)


def _reader_sentence(readers: dict[str, Any]) -> str:
    least, most = min(readers["by_label"].values()), max(readers["by_label"].values())
    return (
        f"Two blind readings of {readers['rows']} paragraphs chose the same sentence in {readers['same']:.0%} "
        f"({least:.0%} to {most:.0%} by label; {readers['by_chance']:.0%} by chance), and had one in common in "
        f"{readers['in_common']:.0%}, with those that they marked as carrying the label equally."
    )


def _share_with_interval(scores: dict[str, Any], digits: str = ".2f") -> str:
    low, high = scores["interval"]
    return f"{scores['agrees']:{digits}} ({low:{digits}}–{high:{digits}})"


def _two_digits(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}"


def _review_sentence(review: dict[str, Any]) -> str:
    shares = {name: review[f"accuracy_of_{name}"] for name in ("flagged", "others")}
    flagged, others = ("–" if share is None else f"{share:.2f}" for share in shares.values())
    return (
        f"{review['share']:.0%} of the held-out paragraphs are flagged for review: {flagged} of their labels are "
        f"right, of the others {others}."
    )


def _confusion_table(result: dict[str, Any]) -> str:
    rows = [[name, *map(str, counts)] for name, counts in zip(LABELS, result["confusion"], strict=True)]
    return table(["true \\ said", *LABELS], rows)


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
    return table([*header, *(["MB a second", "share of the bare pass"] if has_share else [])], rows)


def _start_table(start: dict[str, Any]) -> str:
    rows = [[f"`{name}`", _with_spread(times, ".3f"), f"{times['ratio']:.2f}"] for name, times in start.items()]
    return table(["fresh process", "seconds", "times the first"], rows) if rows else ""


def _disk_sentence(disk: dict[str, Any] | None, cores: int) -> str:
    if disk is None:
        return ""
    return (
        f"`paratype label` with the word model and {cores} cores, {disk['rows']} rows from a JSON lines file to a "
        f"Parquet file: {disk['rows_per_second']:,.0f} rows a second, {disk['peak_mebibytes']:.0f} MiB at the peak."
    )


def command_table(helps: dict[str, str]) -> str:
    """Return the commands of a command line and the first sentence that each has to say of itself."""
    rows = (f"| `paratype {name}` | {text} |" for name, text in helps.items())
    return "\n".join(["| command | what it does |", "| --- | --- |", *rows])


def _with_spread(values: dict[str, float], digits: str) -> str:
    return f"{values['median']:{digits}} ({values['low']:{digits}}–{values['high']:{digits}})"
