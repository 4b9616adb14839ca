"""A run that is killed at any of its steps goes on, and ends as if it had not been."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


# With a stride of 1 each step has its turn, in a minute or two for each format.
@pytest.mark.parametrize(("output", "first"), [("out.jsonl", 1), ("out.csv.gz", 3), ("out.parquet", 4)])
def test_a_run_that_is_killed_before_any_step_goes_on(folder, tmp_path, output, first, record_property, stride=5):
    script = Path(__file__).with_name("every_step.py")
    command = [sys.executable, script, folder, output, str(first), str(stride)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    record_property("runs killed", result["killed"])
    assert result["problems"] == [] and result["killed"] >= 20
