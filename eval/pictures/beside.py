"""Pictures of several models side by side."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from eval.pictures.style import COLOURS, GREY, INK, canvas

__all__ = ["learning_curve", "speed"]

_OURS = "Paratype "
# Where a name may stand, in points from its dot: across (to the right, or ending to the left) and up.
_PLACES = [(side * 8, up) for up in (0, 8, -8, 16, -16, 24, -24) for side in (1, -1)]


def learning_curve(points: list[dict[str, Any]]) -> Figure:
    """Accuracy and macro-F1 on the held-out paragraphs by the rows that were learnt from."""
    figure, axes = canvas(5.4, 3.4)
    for model in dict.fromkeys(point["model"] for point in points):
        of_model = [point for point in points if point["model"] == model]
        sizes = [point["rows"] for point in of_model]
        for key, name, line in (("accuracy", "accuracy", "-"), ("macro_f1", "macro-F1", "--")):
            heights = [point[key] for point in of_model]
            axes.plot(sizes, heights, "o", linestyle=line, color=COLOURS[model], markersize=4, linewidth=1.5)
            place, end = (6, 0), (sizes[-1], heights[-1])
            axes.annotate(
                f"{model},\n{name}", end, place, textcoords="offset points", va="center", color=COLOURS[model]
            )
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted({point["rows"] for point in points}))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rows, _: f"{rows:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y")
    axes.set_xlabel("authored rows that it learnt from")
    axes.set_title("What more rows are worth, on held-out real paragraphs")
    return figure


def speed(peers: dict[str, Any]) -> Figure:
    """Accuracy by paragraphs a second, of all who are right more often than the majority class."""
    floor = peers["majority class"]["scores"]["accuracy"] if "majority class" in peers else 0.0
    shown = {name: peer for name, peer in peers.items() if peer["scores"]["accuracy"] > floor}
    figure, axes = canvas(6.6, 4.2)
    for name, peer in shown.items():
        colour = COLOURS[name.removeprefix(_OURS)] if name.startswith(_OURS) else GREY
        low, high = peer["scores"]["intervals"]["accuracy"]
        axes.plot([peer["per_second"]] * 2, [low, high], color=colour, linewidth=1, alpha=0.45)
        axes.plot(peer["per_second"], peer["scores"]["accuracy"], "o", color=colour, markersize=6.5)
    axes.set_xscale("log")
    speeds = [peer["per_second"] for peer in shown.values()]
    axes.set_xlim(min(speeds) / 2.5, max(speeds) * 6)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:,.0f}"))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid()
    axes.set_xlabel("paragraphs a second, on a logarithmic scale")
    axes.set_title("Accuracy on held-out real paragraphs, with 95 % intervals, and speed")
    _name_dots(figure, axes, {name: (p["per_second"], p["scores"]["accuracy"]) for name, p in shown.items()})
    return figure


def _name_dots(figure: Figure, axes: Any, dots: dict[str, tuple[float, float]]) -> None:
    """Write each name beside its dot, at the first place where it covers no other name and no dot."""
    figure.draw_without_rendering()
    edge = axes.bbox.x0 * 72 / figure.dpi
    points = {name: axes.transData.transform(dot) * 72 / figure.dpi for name, dot in dots.items()}
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points.values()]
    for name, (x, y) in points.items():
        width = 6.0 * len(name)
        for across, up in _PLACES:
            left = x + across if across > 0 else x + across - width
            box = (left, y + up - 5, left + width, y + up + 5)
            if left > edge and not any(_overlap(box, other) for other in taken):
                break
        taken.append(box)
        ours = name.startswith(_OURS)
        axes.annotate(
            name,
            dots[name],
            (across, up),
            textcoords="offset points",
            ha="left" if across > 0 else "right",
            va="center",
            color=COLOURS[name.removeprefix(_OURS)] if ours else INK,
            fontweight="bold" if ours else "normal",
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
