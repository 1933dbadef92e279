"""Time: how a sample is taken, how many calls it holds, and the paired rounds. Every clock is given."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from harness.measuring.statistics import narrow_enough
from harness.measuring.waiting import waited_seconds

Clock = Callable[[], float]
"""Seconds since some moment."""

SAMPLE_SECONDS = 0.01
"""A sample takes about this long at least: shorter calls are repeated within it."""
SLOW_SECONDS = 1.0
"""A first call that takes longer is not tried again: later ones are long enough for a sample of one call."""
SHORTEST_SECONDS = 1e-6
SETTLED = 0.05
"""Samples have settled once two in a row differ by no more than this, relative to the smaller one."""
MOST_WARM_UPS = 8
WARM_UP_SECONDS = 0.3
"""Warming up ends after so many samples or seconds, settled or not."""


@dataclass(frozen=True)
class Sample:
    """Wall and processor seconds of some calls together, and the seconds for which they waited for a core."""

    wall_seconds: float
    cpu_seconds: float
    waited_seconds: float = 0.0


def take_sample(
    call: Callable[[], object],
    repeats: int,
    *,
    wall: Clock = time.perf_counter,
    cpu: Clock = time.process_time,
    waited: Clock = waited_seconds,
) -> Sample:
    """Call `repeats` times, back to back."""
    waited_before = waited()
    cpu_start, wall_start = cpu(), wall()
    for _ in range(repeats):
        call()
    wall_seconds, cpu_seconds = wall() - wall_start, cpu() - cpu_start
    # Threads of one process wait for each other, too: then its cores are busy with it all the time.
    without_us = max(0.0, len(os.sched_getaffinity(0)) * wall_seconds - cpu_seconds)
    return Sample(wall_seconds, cpu_seconds, min(max(0.0, waited() - waited_before), without_us))


def warm_up(first_call_seconds: float, sample: Callable[[int], Sample]) -> int:
    """Take samples until they settle, and return how many calls a sample holds. None of them is kept.

    `sample` takes one of so many calls. After a slow first call there is no warming up.
    """
    if first_call_seconds > SLOW_SECONDS:
        return 1
    spent = last = sample(1).wall_seconds
    repeats = _repeats(last)
    for _ in range(MOST_WARM_UPS - 1):
        if spent > WARM_UP_SECONDS:
            break
        taken = sample(repeats).wall_seconds
        spent += taken
        before, last = last, taken / repeats
        repeats = _repeats(last)
        if abs(last - before) <= SETTLED * min(last, before):
            break
    return repeats


def _repeats(call_seconds: float) -> int:
    return max(1, round(SAMPLE_SECONDS / max(call_seconds, SHORTEST_SECONDS)))


@dataclass
class Series:
    """The samples of one method, a round each: seconds per call."""

    repeats: int = 1
    seconds: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """The part of each sample's wall time for which it waited for a core."""
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, sample: Sample) -> None:
        """One sample of `repeats` calls."""
        self.seconds.append(sample.wall_seconds / self.repeats)
        self.waits.append(round(sample.waited_seconds / max(sample.wall_seconds, SHORTEST_SECONDS), 4))
        self.wall_seconds += sample.wall_seconds
        self.cpu_seconds += sample.cpu_seconds

    @property
    def sample_seconds(self) -> float:
        """What a further sample takes, as those until now did on average."""
        return self.wall_seconds / max(1, len(self.seconds))

    @property
    def cpu_ratio(self) -> float | None:
        """Processor time over wall time: the number of cores actually used."""
        return self.cpu_seconds / self.wall_seconds if self.wall_seconds else None


class Timed(Protocol):
    """Something whose samples are taken in turn with those of others."""

    @property
    def series(self) -> Series:
        """Its samples until now."""
        ...


T = TypeVar("T", bound=Timed)


@dataclass(frozen=True)
class Rounds:
    """Paired rounds. They end after `most`, or when every median's interval is within `precision`.

    In the first round everyone has a turn. Further rounds take `seconds` together: where a whole round doesn't fit into
    what is left of them, the slowest leave, and have no turn in later rounds either.
    """

    most: int
    seconds: float
    precision: float
    clock: Clock = time.monotonic

    def turns(self, timed: list[T], order: random.Random) -> Iterator[tuple[int, T]]:
        """The round, from 0, and whose turn it is: in each round everyone once, in an order drawn anew.

        The caller adds the sample to the series. What it removes from `timed` has no more turns from the next round on.
        """
        for one in order.sample(timed, len(timed)):
            yield 0, one
        end, left = self.clock() + self.seconds, list(timed)
        for n in range(1, self.most):
            left = self._fitting([one for one in left if one in timed], end - self.clock())
            if all(narrow_enough(one.series.seconds, self.precision) for one in left):
                return
            for one in order.sample(left, len(left)):
                yield n, one

    @staticmethod
    def _fitting(timed: list[T], seconds: float) -> list[T]:
        """The fastest, as many as have a turn within `seconds`."""
        found: list[T] = []
        for one in sorted(timed, key=lambda one: one.series.sample_seconds):
            seconds -= one.series.sample_seconds
            if seconds < 0:
                break
            found.append(one)
        return found
