"""Pictures of what one model is worth on the held-out paragraphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from eval.pictures.style import COLOURS, GREY, INK, canvas
from paratype import LABELS

__all__ = ["confusion", "coverage", "reliability", "types"]


def confusion(name: str, scores: dict[str, Any]) -> Figure:
    """How often each label was said of paragraphs of each label."""
    counts = np.array(scores["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = canvas(5.4, 4.2)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(counts.shape):
        if counts[row, column]:
            ink = "white" if shares[row, column] > 0.6 else INK
            axes.text(column, row - 0.12, str(counts[row, column]), ha="center", va="center", color=ink)
            share = f"{shares[row, column]:.0%}"
            axes.text(column, row + 0.22, share, ha="center", va="center", color=ink, fontsize=7)
    names = [label.replace("_", "\n") for label in LABELS]
    axes.set_xticks(range(len(LABELS)), names)
    axes.set_yticks(range(len(LABELS)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("what the model said")
    axes.set_ylabel("what the paragraph is")
    axes.set_title(f"{name}: confusions on {scores['rows']} held-out paragraphs")
    return figure


def types(name: str, scores: dict[str, Any]) -> Figure:
    """Precision and recall of each label with 95 % intervals."""
    figure, axes = canvas(5.4, 3.4)
    marks = {"precision": ("o", -0.14, COLOURS["accurate"]), "recall": ("D", 0.14, COLOURS["fast"])}
    for place, label in enumerate(LABELS):
        result = scores["per_label"][label]
        for key, (mark, shift, colour) in marks.items():
            if "intervals" in result:
                axes.plot(result["intervals"][key], [place + shift] * 2, color=colour, linewidth=1.4, alpha=0.6)
            first = key if place == 0 else None
            axes.plot(result[key], place + shift, mark, color=colour, markersize=5.5, label=first)
    names = [f"{label}\n{scores['per_label'][label]['rows']} paragraphs" for label in LABELS]
    axes.set_yticks(range(len(LABELS)), names)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.005)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.1), handletextpad=0.2)
    axes.set_title(f"{name}: precision and recall, with 95 % intervals")
    return figure


def reliability(name: str, scores: dict[str, Any]) -> Figure:
    """How often the model is right, by how sure it is, in tenths of the paragraphs."""
    figure, axes = canvas(4.2, 3.8)
    tenths = scores["reliability"]
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)), label="as right as sure")
    sure, right = ([tenth[key] for tenth in tenths] for key in ("confidence", "accuracy"))
    axes.plot(sure, right, "o-", color=COLOURS[name], markersize=5.5, linewidth=1.2)
    low = min(0.3, *(edge - 0.05 for edge in (*sure, *right)))
    axes.set_xlim(low, 1.01)
    axes.set_ylim(low, 1.02)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid()
    axes.set_xlabel("mean score of a tenth of the paragraphs")
    axes.set_ylabel("labels that are right in it")
    axes.legend(loc="lower right")
    axes.set_title(f"{name}: how right it is by how sure it is\ncalibration error {scores['calibration_error']:.3f}")
    return figure


def coverage(name: str, models: dict[str, Any]) -> Figure:
    """Accuracy on the surest part of the paragraphs, beside that of the other models."""
    figure, axes = canvas(4.8, 3.4)
    lowest = min(point["accuracy"] for scores in models.values() for point in scores["coverage"])
    for model, scores in models.items():
        own = model == name
        points = [(point["share"], point["accuracy"]) for point in scores["coverage"]]
        colour = COLOURS[model] if own else GREY
        axes.plot(*zip(*points, strict=True), color=colour, linewidth=2 if own else 1, zorder=3 if own else 2)
    _label_ends(axes, {model: scores["coverage"][-1]["accuracy"] for model, scores in models.items()}, name)
    kept = 1 - models[name]["review"]["share"]
    right = models[name]["review"]["accuracy_of_others"]
    axes.plot(kept, right, "o", color=COLOURS[name], markersize=6, zorder=4)
    axes.annotate(
        f"without those for review:\n{kept:.0%} of the paragraphs, {right:.0%} right",
        (kept, right),
        (0.08, 0.14),
        textcoords="axes fraction",
        arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.7, "shrinkB": 4},
    )
    axes.set_xlim(0.08, 1.0)
    axes.set_ylim(lowest - 0.08, 1.005)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y")
    axes.set_xlabel("surest part of the paragraphs")
    axes.set_ylabel("labels that are right")
    axes.set_title(f"{name}: right labels among those it is surest of")
    return figure


def _label_ends(axes: Any, ends: dict[str, float], name: str) -> None:
    """Write the names at the right ends of lines, none over another."""
    height = -1.0
    for model, end in sorted(ends.items(), key=lambda item: item[1]):
        height = max(end, height + 0.022)
        colour, weight = (COLOURS[model], "bold") if model == name else (GREY, "normal")
        axes.text(1.01, height, model, color=colour, fontweight=weight, va="center", clip_on=False)
