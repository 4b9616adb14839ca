"""How fast Paratype is beside what a user would pick instead, from start to Parquet file."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import fmean, median
from typing import Any

from eval.contenders import CONTENDERS, REFERENCES, Contender
from eval.hardware import ONE_THREAD, cores, processor, version_of, versions
from training.corpus import Row

__all__ = ["bench", "generated", "text_sizes"]

ROOT = Path(__file__).parents[1]
_BARE_PASS = CONTENDERS[0].name
_OWN = ("paratype", "numpy", "scipy", "pyarrow", "scikit-learn", "onnxruntime", "tokenizers")
# Starts a command and tells its seconds and ru_maxrss. A process counts the memory of whoever started it as its own
# peak until it runs its program, so that it must be started by something small.
_METER = """
import json, os, sys, time
start = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(json.dumps([os.waitstatus_to_exitcode(status), time.perf_counter() - start, usage.ru_maxrss]))
"""


def bench(
    rows: Sequence[Row],
    texts: Sequence[str],
    *,
    source: str = "generated",
    rounds: int = 5,
    slow_rows: int = 200,
    start_runs: int = 5,
    disk_rows: int = 0,
    contenders: Sequence[Contender] = CONTENDERS,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Time the contenders in turn on the same texts, then start-ups, then a run from disk to disk.

    Args:
        rows: the corpus; contenders are trained on it.
        texts: what they score.
        source: where the texts come from.
        rounds: how often each contender scores all of its texts.
        slow_rows: how many texts the slow contenders get.
        start_runs: how often each command is started; 0 for none.
        disk_rows: rows of the file that `paratype label` reads; 0 for no such run.
        contenders: who takes part; one whose packages are not installed, or which fails, is left out and named.
        log: told what is being timed.

    Returns:
        Rates in paragraphs and bytes per second, times in seconds, memory in MiB (2**20 bytes); each with median,
        low and high over the rounds. A ratio is the median over the rounds of the ratios within each.
    """
    texts = [" ".join(text.splitlines()) for text in texts]
    left_out: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        times, sizes = _take_turns(contenders, rows, texts, slow_rows, rounds, Path(folder), left_out, log)
    packages = (*_OWN, *(package for contender in contenders for package in contender.packages))
    return {
        "hardware": {"machine": platform.machine(), "processor": processor(), "cores": len(cores())},
        "python": platform.python_version(),
        "versions": versions(packages),
        "text": {"source": source, **text_sizes(texts), "slow": text_sizes(texts[:slow_rows])},
        "rounds": rounds,
        "references": REFERENCES,
        "contenders": _rates([contender for contender in contenders if contender.name in times], times, sizes),
        "left_out": left_out,
        "start": _start_ups(start_runs, log),
        "disk": _disk_to_disk(generated(rows, disk_rows, seed=1), log) if disk_rows else None,
    }


def generated(rows: Sequence[Row], count: int, *, seed: int = 0) -> list[str]:
    """Return paragraphs of about 66 words in the mean, put together from sentences of the rows."""
    from training.recipes import recombined

    texts, more = recombined(rows, count, seed=seed), recombined(rows, count, seed=seed + 1000)
    # Those of `recombined` have 51 words; three in ten get as many again.
    return [f"{text} {other}" if i % 10 < 3 else text for i, (text, other) in enumerate(zip(texts, more, strict=True))]


def _take_turns(
    contenders: Sequence[Contender],
    rows: Sequence[Row],
    texts: Sequence[str],
    slow_rows: int,
    rounds: int,
    folder: Path,
    left_out: dict[str, str],
    log: Callable[[str], None],
) -> tuple[dict[str, list[float]], dict[str, dict[str, Any]]]:
    """Return the seconds of each round and the sizes of the texts, by contender; name who was left out."""
    children: dict[str, _Child] = {}
    sizes = {}
    try:
        for contender in contenders:
            given = texts[:slow_rows] if contender.slow else texts
            if reason := _lacks(contender):
                left_out[contender.name] = reason
                continue
            log(f"preparing {contender.name}")
            child = children[contender.name] = _Child(contender, rows, given, folder)
            sizes[contender.name] = text_sizes(given)
            if child.failure:
                left_out[contender.name] = child.failure
        for number in range(rounds):
            log(f"round {number + 1} of {rounds}")
            for name, child in children.items():
                if name not in left_out and not child.take_turn():
                    left_out[name] = child.failure
    finally:
        for child in children.values():
            child.close()
    return {name: child.times for name, child in children.items() if name not in left_out}, sizes


class _Child:
    """A process of its own in which a contender is prepared, and scores when it is its turn."""

    def __init__(self, contender: Contender, rows: Sequence[Row], texts: Sequence[str], folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.times: list[float] = []
        self.failure = ""
        self._connection, theirs = context.Pipe()
        arguments = (contender, rows, texts, folder, theirs)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        with _environment(ONE_THREAD):  # read by libraries when they are imported, thus set before the start
            self._process.start()
        theirs.close()
        self._receive()

    def take_turn(self) -> bool:
        """Let it score all texts once; whether it did."""
        self._connection.send(True)
        if (seconds := self._receive()) is not None:
            self.times.append(seconds)
        return not self.failure

    def close(self) -> None:
        self._connection.close()
        self._process.join()
        self._process.close()

    def _receive(self) -> float | None:
        try:
            answer = self._connection.recv()
        except EOFError:
            self._process.join()
            answer = f"its process ended with {self._process.exitcode}"
        if isinstance(answer, str):
            self.failure = answer
            return None
        return float(answer)


def _serve(
    contender: Contender, rows: Sequence[Row], texts: Sequence[str], folder: Path, connection: Connection
) -> None:
    """Prepare a contender and warm it up, say so with a 0, then answer each message with the seconds of a turn."""
    try:
        _pin(contender.cores)
        tempfile.tempdir = str(folder)
        score, data = contender.prepare(rows), contender.form(texts)
        if (count := score(data)) != len(texts):
            raise ValueError(f"{count} answers for {len(texts)} texts")
        connection.send(0.0)
        while connection.recv():
            start = time.perf_counter()
            score(data)
            connection.send(time.perf_counter() - start)
    except EOFError:  # the parent is done
        pass
    except Exception as error:  # whatever breaks in a library must not end the others' run
        connection.send(f"failed: {type(error).__name__}: {error}")


def _pin(count: int) -> None:
    import pyarrow as pa

    pa.set_cpu_count(count)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores()[:count])


def _lacks(contender: Contender) -> str:
    """Return what a contender lacks, with the line that installs it, or nothing."""
    if missing := [package for package in contender.packages if not version_of(package)]:
        return f"pip install {' '.join(missing)}"
    return f"needs {contender.cores} cores" if contender.cores > len(cores()) else ""


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def text_sizes(texts: Sequence[str]) -> dict[str, Any]:
    """Return how many texts there are, and their mean lengths."""
    words, size = (fmean(map(length, texts)) for length in (lambda t: len(t.split()), lambda t: len(t.encode())))
    return {"rows": len(texts), "mean_words": round(words, 1), "mean_bytes": round(size, 1)}


def _rates(
    contenders: Sequence[Contender], times: Mapping[str, Sequence[float]], sizes: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for contender in contenders:
        name, size = contender.name, sizes[contender.name]
        rates = [size["rows"] / seconds for seconds in times[name]]
        results[name] = {
            "group": contender.group,
            "cores": contender.cores,
            "rows": size["rows"],
            "per_second": _spread(rates),
            "bytes_per_second": _spread([rate * size["mean_bytes"] for rate in rates]),
            "ratio": _ratio(times, name, REFERENCES[contender.group]),
            "share_of_bare_pass": _ratio(times, name, _BARE_PASS) if contender.group == "words" else None,
        }
    return results


def _ratio(times: Mapping[str, Sequence[float]], name: str, other: str) -> float | None:
    """Return how many times as fast as another a contender is; None if the other was left out."""
    if other not in times:
        return None
    return _rounded(median(theirs / own for own, theirs in zip(times[name], times[other], strict=True)))


def _start_ups(runs: int, log: Callable[[str], None]) -> dict[str, Any]:
    """Time fresh processes, in turn, each with all cores; ratios to the import of scikit-learn's linear models."""
    paratype, article = str(Path(sys.executable).with_name("paratype")), "examples/article.txt"
    commands = {
        "python -c 'import sklearn.linear_model'": [sys.executable, "-c", "import sklearn.linear_model"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import paratype'": [sys.executable, "-c", "import paratype"],
        "paratype --help": [paratype, "--help"],
        **{
            f"paratype label {article} --model {model}": [
                *(paratype, "label", article, "--model", model),
                *("-q", "--format", "jsonl"),
            ]
            for model in ("fast", "accurate")
        },
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs):
        log(f"start-ups, round {number + 1} of {runs}")
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
            times[name].append(time.perf_counter() - start)
    reference = next(iter(commands))
    return {
        # A ratio above 1 is a longer start, so own over theirs.
        name: {**_spread(taken), "ratio": _ratio(times, reference, name)}
        for name, taken in times.items()
        if taken
    }


def _disk_to_disk(texts: Sequence[str], log: Callable[[str], None]) -> dict[str, Any]:
    """Time `paratype label` with the word model and all cores from a JSON lines file to a Parquet file."""
    log(f"disk to disk, {len(texts)} rows")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "rows.jsonl", Path(folder) / "rows.parquet"
        with source.open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts))
        paratype = str(Path(sys.executable).with_name("paratype"))
        command = [paratype, "label", str(source), "-o", str(target), "--model", "fast", "-q"]
        metered = [sys.executable, "-S", "-c", _METER, *command]
        code, seconds, peak = json.loads(subprocess.run(metered, stdout=subprocess.PIPE, check=True).stdout)
        if code:
            raise subprocess.CalledProcessError(code, command)
        read, written = (file.stat().st_size / 2**20 for file in (source, target))
    # ru_maxrss is in bytes on macOS, in KiB elsewhere.
    peak /= 2**20 if sys.platform == "darwin" else 2**10
    measured = {"rows_per_second": len(texts) / seconds, "seconds": seconds, "peak_mebibytes": peak}
    measured |= {"read_mebibytes": read, "written_mebibytes": written}
    return {"rows": len(texts), **{name: _rounded(value) for name, value in measured.items()}}


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": _rounded(median(values)), "low": _rounded(min(values)), "high": _rounded(max(values))}


def _rounded(value: float) -> float:
    """Keep four digits, more than the machine repeats."""
    return float(f"{value:.4g}")
