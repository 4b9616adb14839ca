"""What labelling many paragraphs takes, on one and on two workers of each engine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from eval.bench import generated, text_sizes
from eval.hardware import cores, processor, version_of, versions
from training.corpus import Row

__all__ = ["ENGINES", "scale"]

ROOT = Path(__file__).parents[1]
ENGINES = {"paratype label": "paratype", "Spark": "pyspark", "Ray": "ray", "Dask": "dask"}
"""The engines, and the package of each."""

_PACKAGES = ("dask", "distributed", "numpy", "onnxruntime", "pandas", "paratype", "pyarrow", "pyspark", "ray")
_DISTINCT = 1 << 16
_BATCHES = (100, 1000, 10_000, 50_000)


def scale(
    corpus: Sequence[Row],
    *,
    rows: int,
    slow_rows: int,
    files: int = 64,
    workers: Sequence[int] = (1, 2),
    engines: Sequence[str] = tuple(ENGINES),
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Time `paratype label` and the engines from Parquet to Parquet, then reading, scoring and writing apart.

    Args:
        corpus: rows whose sentences the paragraphs are put together from.
        rows: how many the word model labels; after so many distinct ones they come again.
        slow_rows: how many the accurate model labels.
        files: how many Parquet files they stand in.
        workers: how many workers, on as many cores.
        engines: who takes part; one that is not installed is left out and named.
        log: told what is being timed.

    Returns:
        Times in seconds, memory in MiB (2**20 bytes), sizes in bytes.
    """
    texts = generated(corpus, min(rows, _DISTINCT))
    runs: list[dict[str, Any]] = []
    left_out = [engine for engine in engines if not version_of(ENGINES[engine])]
    with tempfile.TemporaryDirectory() as folder:
        counts = {"fast": rows, "accurate": slow_rows}
        sources = {
            model: _written(texts, count, min(files, count), Path(folder) / model) for model, count in counts.items()
        }
        for engine in (engine for engine in engines if engine not in left_out):
            for number in workers:
                log(f"{engine}, workers: {number}")
                for told in _runs(engine, number, sources, Path(folder) / f"{len(runs)}"):
                    runs.append({"engine": engine, "workers": number, "rows": counts[told["model"]], **told})
                    log(f"  {runs[-1]}")
        log("reading, scoring and writing apart")
        stages = {model: _stages(model, source, Path(folder)) for model, source in sources.items()}
        size = sum(path.stat().st_size for path in sources["fast"].iterdir())
    return {
        "hardware": {"machine": platform.machine(), "processor": processor(), "cores": len(cores())},
        "python": platform.python_version(),
        "versions": versions(_PACKAGES),
        "text": {"rows": rows, "slow_rows": slow_rows, "files": files, "bytes": size, **_means(texts)},
        "runs": runs,
        "left_out": left_out,
        "stages": stages,
        "batches": {str(size): _rate(texts, size) for size in _BATCHES},
    }


def _means(texts: Sequence[str]) -> dict[str, float]:
    sizes = text_sizes(texts)
    return {"distinct": len(texts), "mean_words": sizes["mean_words"], "mean_bytes": sizes["mean_bytes"]}


def _written(texts: Sequence[str], rows: int, files: int, folder: Path) -> Path:
    """Write Parquet files of id and text, as near to one size as can be."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    column = pa.array(texts)
    for file in range(files):
        ids = range(rows * file // files, rows * (file + 1) // files)
        taken = column.take(pa.array([number % len(texts) for number in ids], pa.int64()))
        pq.write_table(pa.table({"id": ids, "text": taken}), folder / f"part-{file:05}.parquet", compression="zstd")
    return folder


def _runs(engine: str, workers: int, sources: dict[str, Path], target: Path) -> Iterator[dict[str, Any]]:
    """Run a job for each model in one cluster, which has a process of its own; yield what each took."""
    busy = os.getloadavg()[0]
    jobs = [(model, str(source), f"{target}-{model}") for model, source in sources.items()]
    command = [sys.executable, "-m", "eval.scale_job", engine, str(workers), json.dumps(jobs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{engine} failed: {done.stderr[-2000:]}")
    for (model, source, written), told in zip(jobs, json.loads(done.stdout.splitlines()[-1]), strict=True):
        _check_rows(engine, Path(source), Path(written))
        numbers = {name: float(f"{value:.4g}") for name, value in told.items()}
        yield {"model": model, **numbers, "load": round(busy, 1)}


def _check_rows(engine: str, source: Path, target: Path) -> None:
    import pyarrow.dataset as ds

    written = target if target.is_dir() else target.with_name(f"{target.name}.parquet")
    expected, found = (ds.dataset(path, format="parquet").count_rows() for path in (source, written))
    if found != expected:
        raise RuntimeError(f"{engine} wrote {found} rows of {expected}")


def _stages(model: str, source: Path, folder: Path) -> dict[str, float]:
    """Return the processor seconds that reading, scoring and writing take for a row, on one thread."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from paratype import load
    from paratype.arrow import label_batches

    opened, used, rows = load(model), dict.fromkeys(("reading", "scoring", "writing"), 0.0), 0
    pa.set_cpu_count(1)
    for file in sorted(source.iterdir()):
        start = time.process_time()
        table = pq.read_table(file, use_threads=False)
        read = time.process_time()
        labelled = pa.Table.from_batches(label_batches(table.to_batches(), model=opened, threads=1))
        scored = time.process_time()
        pq.write_table(labelled, folder / "stage.parquet", compression="zstd")
        ends = (start, read, scored, time.process_time())
        for stage, (begin, end) in zip(used, pairwise(ends), strict=True):
            used[stage] += end - begin
        rows += len(table)
    return {stage: float(f"{seconds / rows:.4g}") for stage, seconds in used.items()}


def _rate(texts: Sequence[str], size: int) -> float:
    """Return the rows that the word model labels in a second of one thread, in batches of a size."""
    import pyarrow as pa

    from paratype import load
    from paratype.arrow import label_batches

    column, opened = pa.array(texts), load("fast")
    batches = pa.table({"text": column}).to_batches(max_chunksize=size)[: max(1, _BATCHES[-1] // size)]
    list(label_batches(batches[:1], model=opened, threads=1))  # warm
    start = time.process_time()
    rows = sum(batch.num_rows for batch in label_batches(batches, model=opened, threads=1))
    return float(f"{rows / (time.process_time() - start):.4g}")
