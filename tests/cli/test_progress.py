"""The estimate of the time that is left, by a fake clock."""

from __future__ import annotations

import pytest
from cases import small_case

from harness.cli import progress
from harness.cli.progress import TIMED, Pace

CASES = [small_case(steps=steps) for steps in range(1, 61)]


@pytest.fixture
def now(monkeypatch) -> list[float]:
    """The time, which a test moves on."""
    found = [5.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: found[0])
    return found


@pytest.mark.parametrize("speed", [0.4, 1.0, 3.0])
def test_after_the_first_of_several_blocks_it_is_close(now, speed):
    """Whatever the machine's speed is, relative to the estimate: 100 of 300 estimated seconds are done."""
    pace = Pace(dict.fromkeys(CASES, 5.0))
    now[0] += 70.0 * speed
    for case in CASES[:20]:  # timed at the same moment, then finished one by one
        pace.reached(case, TIMED)
    for case in CASES[:20]:
        now[0] += 1.5 * speed
        pace.reached(case, 1.0)
    left = 200.0 * speed
    assert left / 1.25 < pace.left_seconds() < left * 1.25


def test_while_nothing_is_heard_the_time_left_passes(now):
    """A block is built: no case of it is done, and the estimate mustn't grow for that."""
    pace = Pace(dict.fromkeys(CASES, 5.0))
    assert pace.left_seconds() == 300.0
    now[0] += 60.0
    assert pace.left_seconds() == 240.0
    now[0] += 1000.0
    assert pace.left_seconds() == 0.0


def test_a_case_that_was_not_estimated_takes_no_time(now):
    pace = Pace({})
    now[0] += 10.0
    pace.reached(CASES[0], 1.0)
    assert pace.left_seconds() == 0.0
