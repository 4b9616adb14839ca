"""The table of the peers, with how each is set."""

from __future__ import annotations

from typing import Any

from eval.markdown import table

__all__ = ["peers_table"]

_HEADER = (
    "accuracy",
    "macro-F1",
    "macro-F1 of `labels`",
    "calibration error",
    "training",
    "paragraphs a second",
    "size",
    "start",
)


def peers_table(results: dict[str, Any]) -> str:
    """Return a line per peer, then what was tuned, then a note on each."""
    peers = results["peers"]
    count = max((peer["scores"]["rows"] for peer in peers.values()), default=0)
    lines = [[name, *_scores(peer["scores"]), *_costs(peer)] for name, peer in peers.items()]
    parts = [
        table([f"{count} paragraphs", *_HEADER], lines),
        f"All learn from the same {results['training_rows']:,} rows and answer on one core of "
        f"{results['hardware']['processor'].split(',')[0]}; times are processor time. Training is without the search "
        "for a setting; start is from the start of Python to the first answer of a saved model. Who says one label "
        "alone has no `labels`, and who gives no probabilities has no calibration error.",
        "\n".join(f"- {name}: {peer['note']}{_chosen(peer)}" for name, peer in peers.items() if peer["note"]),
        " ".join(f"Left out: {name} ({reason})." for name, reason in results["left_out"].items()),
        f"Python {results['python']}, " + ", ".join(f"{name} {number}" for name, number in results["versions"].items()),
    ]
    return "\n\n".join(part for part in parts if part)


def _scores(scores: dict[str, Any]) -> list[str]:
    cells = []
    for key in ("accuracy", "macro_f1"):
        low, high = scores["intervals"][key]
        cells.append(f"{scores[key]:.2f} ({low:.2f}–{high:.2f})")
    return cells + [f"{scores[key]:.2f}" if key in scores else "–" for key in ("labels_macro_f1", "calibration_error")]


def _costs(peer: dict[str, Any]) -> list[str]:
    seconds = peer["training_seconds"]
    return [
        "–" if seconds is None else f"{seconds:,.0f} s" if seconds >= 1 else "< 1 s",
        f"{peer['per_second']:,.0f}",
        f"{peer['bytes'] / 1e6:,.1f} MB",
        f"{peer['start_seconds']:.1f} s",
    ]


def _chosen(peer: dict[str, Any]) -> str:
    """Say which setting was kept of those tried."""
    tried = [_named(attempt["setting"]) for attempt in peer["tried"]]
    return f" Of {'; '.join(tried)}, the development part chose {_named(peer['setting'])}." if tried else ""


def _named(setting: dict[str, Any]) -> str:
    return " ".join(f"{key} {value}" for key, value in setting.items())
