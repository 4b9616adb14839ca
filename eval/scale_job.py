"""Labelling jobs on one engine, each timed from a started cluster to the last file: ``python -m eval.scale_job``.

A process of its own, so that the cores it is given bound all that it starts: cluster, scheduler and workers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil

__all__ = ["ENGINES", "Job", "Meter", "run"]

_PARATYPE = str(Path(sys.executable).with_name("paratype"))
_OBJECT_STORE = 1 << 30

Job = Callable[[str, str, str], None]  # takes a model, a Parquet folder, and where to write one


@contextmanager
def _spark(workers: int) -> Iterator[Job]:
    from pyspark.sql import SparkSession

    import paratype.spark

    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    builder = SparkSession.builder.master(f"local-cluster[{workers},1,1024]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.log.level", "ERROR")
    session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    session.range(workers).write.format("noop").mode("overwrite").save()  # the executors have come up

    def job(model: str, source: str, target: str) -> None:
        paratype.spark.label(session.read.parquet(source), model=model).write.parquet(target)

    yield job
    session.stop()


@contextmanager
def _ray(workers: int) -> Iterator[Job]:
    import ray

    from paratype.ray import Labeller

    # One processor more than there are actors, by its own count, for reading and writing.
    limits: dict[str, Any] = {"num_cpus": workers + 1, "object_store_memory": _OBJECT_STORE}
    ray.init(**limits, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False

    def job(model: str, source: str, target: str) -> None:
        how = {"batch_format": "pyarrow", "compute": ray.data.ActorPoolStrategy(size=workers)}
        rows = ray.data.read_parquet(source)
        rows.map_batches(Labeller, fn_constructor_kwargs={"model": model}, **how).write_parquet(target)

    yield job
    ray.shutdown()


@contextmanager
def _dask(workers: int) -> Iterator[Job]:
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    import paratype.dask

    options = {"n_workers": workers, "threads_per_worker": 1, "processes": True, "dashboard_address": None}

    def job(model: str, source: str, target: str) -> None:
        paratype.dask.label(dd.read_parquet(source), model=model).to_parquet(target)

    with LocalCluster(**options) as cluster, Client(cluster):
        yield job


@contextmanager
def _command(workers: int) -> Iterator[Job]:
    def job(model: str, source: str, target: str) -> None:
        command = [_PARATYPE, "label", source, "-o", f"{target}.parquet", "--model", model, "--jobs", str(workers)]
        subprocess.run([*command, "--quiet"], check=True)

    yield job


ENGINES: dict[str, tuple[Callable[..., Any], str]] = {
    "paratype label": (_command, "paratype label"),
    "Spark": (_spark, "pyspark.daemon"),
    "Ray": (_ray, "ray::MapWorker"),
    "Dask": (_dask, "multiprocessing"),
}
"""By name: what starts a cluster and yields the job, and words in the command line of the processes that label."""


class Meter:
    """Watches all processes under this one: processor time of each, and memory of its own of those that label."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.processor: dict[int, float] = {}
        self.memory: dict[int, int] = {}
        self._stop = Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        self._thread.join()

    def seconds(self) -> float:
        """Return the processor time of all processes so far."""
        self._look()
        return sum(self.processor.values())

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            self._look()

    def _look(self) -> None:
        own = psutil.Process()
        for process in [own, *own.children(recursive=True)]:
            try:
                times = process.cpu_times()
                self.processor[process.pid] = times.user + times.system
                if process is not own and self.words in " ".join(process.cmdline()):
                    used = process.memory_full_info().uss
                    self.memory[process.pid] = max(used, self.memory.get(process.pid, 0))
            except psutil.Error:  # it is over
                continue


def run(engine: str, workers: int, jobs: Sequence[Sequence[str]]) -> list[dict[str, float]]:
    """Do jobs on so many cores, one after the other; return what each took.

    Args:
        engine: one of `ENGINES`.
        workers: how many, on as many cores.
        jobs: for each the model, the Parquet folder, and where to write.

    Returns:
        Seconds until the cluster was up, seconds and processor seconds of the job, and a worker's memory in MiB.
    """
    warnings.filterwarnings("ignore")  # of the engines' own making
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:workers])
    start, words = ENGINES[engine]
    began = time.perf_counter()
    with start(workers) as job:
        up = time.perf_counter() - began
        return [{"start": up, **_measured(job, given, words)} for given in jobs]


def _measured(job: Job, given: Sequence[str], words: str) -> dict[str, float]:
    with Meter(words) as meter:
        began, before = time.perf_counter(), meter.seconds()
        job(*given)
        seconds, used = time.perf_counter() - began, meter.seconds() - before
    memory = max(meter.memory.values(), default=0) / 2**20
    return {"seconds": seconds, "processor_seconds": used, "worker_mebibytes": memory}


if __name__ == "__main__":
    told = run(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
    sys.stdout.write("\n" + json.dumps(told) + "\n")
