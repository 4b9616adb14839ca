"""Any bytes at all: cases that were found are tried again, hypothesis changes them, atheris looks for new ones."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paratype.reading import sources
from tests.fuzz.targets import CASES, TARGETS

ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("FUZZ_SECONDS", "8"))  # for each target


@pytest.fixture(autouse=True)
def real_sources(monkeypatch):
    """The targets read from memory; what is read afterwards comes from files again."""
    for name in ("_open", "_BYTES_PER_READ"):
        monkeypatch.setattr(sources, name, getattr(sources, name))


def test_each_target_has_cases():
    assert sorted(path.name for path in CASES.iterdir()) == sorted(TARGETS)


CASE_FILES = sorted(CASES.glob("*/*"))


@pytest.mark.parametrize("case", CASE_FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_cases_that_were_found(case, record_property):
    TARGETS[case.parent.name](case.read_bytes())
    record_property("cases replayed", 1)


def changed(data, place, cut, put):
    place %= len(data) + 1
    return data[:place] + put + data[place + cut :]


def hostile(target):
    """Bytes of any kind, and the target's cases with one or two changes."""
    cases = st.sampled_from([path.read_bytes() for path in sorted((CASES / target).iterdir())])
    places = st.integers(0, 1 << 16)
    pieces = st.binary(max_size=8) | st.sampled_from([b"\0", b"\xff", b'"', b"\n", b"\r", b"{", b"[", b"\xef\xbb\xbf"])
    once = st.builds(changed, cases, places, st.integers(0, 40), pieces)
    return once | st.builds(changed, once, places, st.integers(0, 40), pieces) | st.binary(max_size=200)


@pytest.mark.parametrize("target", TARGETS)
def test_changed_cases(target):
    @settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
    @given(data=hostile(target))
    def check(data):
        TARGETS[target](data)

    check()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="no atheris for this Python or machine")
@pytest.mark.parametrize("target", TARGETS)
def test_inputs_that_are_searched_for(target, tmp_path, record_property):
    command = [sys.executable, "-m", "tests.fuzz.harness", target, str(tmp_path), f"-max_total_time={SECONDS}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=SECONDS + 200, check=False)
    found = [path.name for path in tmp_path.glob("*-*")]  # crash-…, timeout-…, oom-…
    assert done.returncode == 0 and found == [], f"{found} in {tmp_path}: {done.stdout}{done.stderr[-3000:]}"
    (tried,) = re.findall(r"Done (\d+) runs", done.stderr)
    assert int(tried) > 0
    record_property("inputs fuzzed", int(tried))
