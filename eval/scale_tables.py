"""Tables in Markdown of what labelling at scale takes."""

from __future__ import annotations

from typing import Any

from eval.markdown import table

__all__ = ["scale_tables"]


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
    return note + "\n\n" + table([*header, "load before"], rows)


def _stages_table(stages: dict[str, dict[str, float]]) -> str:
    rows = [
        [model, *(f"{seconds * 1e6:,.1f} ({seconds / sum(times.values()):.0%})" for seconds in times.values())]
        for model, times in stages.items()
    ]
    return table(["core-seconds a million (share)", *next(iter(stages.values()))], rows)


def _batches_table(rates: dict[str, float]) -> str:
    rows = [[f"{int(size):,}", f"{rate:,.0f}"] for size, rate in rates.items()]
    return table(["rows in a batch", "rows a core-second, fast"], rows)


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
    return note + "\n\n" + table(header, rows)


def _cost(runs: list[dict[str, Any]], engine: str, model: str, number: int, price: float) -> str:
    """Return the core-hours of so many paragraphs and what they cost, by the processor time on most workers."""
    run = [run for run in runs if (run["engine"], run["model"]) == (engine, model)][-1]
    hours = run["processor_seconds"] / run["rows"] * number / 3600
    return f"{_amount(hours)} h, {_amount(hours * price)}"


def _amount(value: float) -> str:
    return "< 0.01" if value < 0.01 else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"
