"""The estimate of the time that is left, by a fake clock."""

from __future__ import annotations

import pytest

from harness.cli import progress
from harness.cli.progress import Pace


@pytest.mark.parametrize("speed", [0.4, 1.0, 3.0])
def test_after_the_first_of_several_blocks_it_is_close(monkeypatch, speed):
    """Whatever the machine's speed is, relative to the estimate: 100 of 300 estimated seconds are done."""
    now = [5.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    pace = Pace(300.0)
    for _ in range(20):
        now[0] += 5.0 * speed
        pace.add(5.0)
    left = 200.0 * speed
    assert left / 1.25 < pace.left_seconds() < left * 1.25
