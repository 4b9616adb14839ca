"""What the tests of all engines do: compare results with one machine's, and kill a worker in the middle of a job."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pyarrow as pa

from paratype import load
from paratype.arrow import label_schema

PATIENCE = 400  # seconds; a busy machine is no fault of the code


def in_order(table, model):
    """Return id, text and the columns added, with the types of `label_schema`, in order of the id."""
    schema = pa.schema([("id", pa.int64()), ("text", pa.string()), *label_schema(load(model))])
    return table.select(schema.names).cast(schema).sort_by("id").combine_chunks()


def check_same(found, expected, model):
    """Check that a table has the expected rows, each once, to the last bit of every score."""
    found = in_order(found, model)
    assert found["id"].to_pylist() == expected["id"].to_pylist()
    assert [name for name in expected.column_names if not found[name].equals(expected[name])] == []


def run_and_kill(job, output, find_worker):
    """Run a job that writes a Parquet folder, and kill a process of its workers when the first file is there."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(job)
        deadline = time.monotonic() + PATIENCE
        while not any(output.rglob("*.parquet")):
            assert not running.done(), running.result()
            assert time.monotonic() < deadline, "the job wrote nothing"
            time.sleep(0.05)
        worker = find_worker()
        os.kill(worker, signal.SIGKILL)
        assert not running.done(), "the job was over too soon"
        running.result(timeout=PATIENCE)
    assert worker not in children() or psutil.Process(worker).status() == psutil.STATUS_ZOMBIE


def children(words=""):
    """Return the ids of the processes under this one whose command line has some words."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if words in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:  # it is going
            continue
    return found
