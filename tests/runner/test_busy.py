"""The seconds in which something is measured, by a fake clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.runner.busy import Busy, Watched
from harness.runner.child import CaseTarget


def test_what_overlaps_counts_once():
    now = [0.0]
    busy = Busy(lambda: now[0])
    with busy:
        now[0] = 2.0
        with busy:
            now[0] = 5.0
        now[0] = 6.0
    now[0] = 100.0
    with busy:
        now[0] = 101.0
    assert busy.seconds == 7.0


class Slow:
    """A worker whose calls take a second."""

    def __init__(self, now: list[float]) -> None:
        self.now, self.closed = now, False

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.now[0] += 1.0
        if method is CaseTarget.memory:
            raise MemoryError
        return method.__name__, args

    def close(self) -> None:
        self.closed = True


def test_building_and_measuring_counts_and_the_rest_does_not():
    now = [0.0]
    busy, slow = Busy(lambda: now[0]), Slow(now)
    worker: Watched[CaseTarget] = Watched(slow, busy)
    assert worker.call(CaseTarget.build, 3) == ("build", (3,))
    worker.call(CaseTarget.move, 0)
    worker.call(CaseTarget.time, 1)
    try:
        worker.call(CaseTarget.memory)
    except MemoryError:
        worker.close()
    assert (busy.seconds, slow.closed) == (3.0, True)
