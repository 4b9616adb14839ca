"""A run that is stopped at any moment goes on, and ends as if it had not been."""

import random
import signal
import time

import pytest

from tests.faults.processes import GATED, ROWS, SLOW, ids

KILLS = 6
HANDLES_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


@pytest.mark.parametrize("output", ["out.jsonl", "out.csv", "out.parquet", "out.jsonl.gz"])
def test_a_run_that_is_killed_again_and_again_loses_nothing(work, output, record_property):
    expected = work.straight(output)
    chance = random.Random(output)
    kills, lives = 0, []  # a life is how many rows were kept at each kill of one run
    while kills < KILLS:
        (work.here / output).unlink(missing_ok=True)
        lives.append([])
        while kills < KILLS and not (work.here / output).exists():
            child = work.start(output, "--resume", first=SLOW)
            work.wait_for_rows(output, child, (kills + 1) * work.rows / (KILLS + 1))
            time.sleep(chance.uniform(0, 0.02))
            child.kill()
            _, said = child.communicate(timeout=300)
            assert child.returncode in (-signal.SIGKILL, 1), said
            if child.returncode < 0:
                kills += 1
                lives[-1].append(work.rows_kept(output))
        if work.journal(output).exists():
            code, said = work.run(output, "--resume")
            assert code == 1, said
        work.whole(output, expected)
        assert lives[-1] == sorted(lives[-1]) and len(lives) < 4, lives
    assert any(map(any, lives))
    record_property("runs killed", kills)


@pytest.mark.parametrize("output", ["out.jsonl", "out.csv", "out.parquet"])
def test_the_rows_that_come_out_are_those_that_went_in(work, output, record_property):
    data = work.straight(output)
    came = ["" if value is None else str(value) for value in ids(output, data)]
    went = [str(n) if n % 501 != 500 else "" for n in range(ROWS)] + [str(n) for n in range(300)]
    record_property("rows lost", len(went) + 2 - len(came))
    assert came == [*went, "", ""]


@pytest.mark.parametrize(("sent", "code", "word"), [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "terminated")])
def test_a_run_that_is_asked_to_stop_keeps_its_rows(work, sent, code, word, record_property):
    expected = work.straight("out.csv")
    child = work.start("out.csv", first=HANDLES_INTERRUPTS + GATED)
    work.wait_for_rows("out.csv", child, 1000)
    child.send_signal(getattr(signal, sent))
    _, said = child.communicate(timeout=300)
    assert child.returncode == code and said.startswith(f"{word}; the rows so far are kept (") and "Trace" not in said
    assert said.strip().endswith("); go on with --resume")
    assert work.run("out.csv", "--resume")[0] == 1
    work.whole("out.csv", expected)
    record_property("runs interrupted", 1)
