"""Time: how a sample is taken, how many calls it holds, and the paired rounds. Every clock is given."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from harness.measuring.statistics import narrow_enough

Clock = Callable[[], float]
"""Seconds since some moment."""

SAMPLE_SECONDS = 0.01
"""A sample takes about this long at least: shorter calls are repeated within it."""
SLOW_SECONDS = 1.0
"""A first call that takes longer is not tried again: later ones are long enough for a sample of one call."""
SHORTEST_SECONDS = 1e-6


@dataclass(frozen=True)
class Sample:
    """Wall and processor seconds of some calls together."""

    wall_seconds: float
    cpu_seconds: float


def take_sample(
    call: Callable[[], object], repeats: int, *, wall: Clock = time.perf_counter, cpu: Clock = time.process_time
) -> Sample:
    """Call `repeats` times, back to back."""
    cpu_start, wall_start = cpu(), wall()
    for _ in range(repeats):
        call()
    return Sample(wall() - wall_start, cpu() - cpu_start)


def repeats_for(first_call_seconds: float, once: Callable[[], Sample]) -> int:
    """Calls in a sample. The first call may be slow for reasons of its own, so a quick one is timed `once` more."""
    if first_call_seconds > SLOW_SECONDS:
        return 1
    return max(1, round(SAMPLE_SECONDS / max(once().wall_seconds, SHORTEST_SECONDS)))


@dataclass
class Series:
    """The samples of one method, a round each: seconds per call."""

    repeats: int = 1
    seconds: list[float] = field(default_factory=list)
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, sample: Sample) -> None:
        """One sample of `repeats` calls."""
        self.seconds.append(sample.wall_seconds / self.repeats)
        self.wall_seconds += sample.wall_seconds
        self.cpu_seconds += sample.cpu_seconds

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
    """Paired rounds. They end after `most`, after `seconds`, or when every median's interval is within `precision`.

    One round is always taken.
    """

    most: int
    seconds: float
    precision: float
    clock: Clock = time.monotonic

    def turns(self, timed: list[T], order: random.Random) -> Iterator[tuple[int, T]]:
        """The round, from 0, and whose turn it is: in each round everyone once, in an order drawn anew.

        The caller adds the sample to the series. What it removes from `timed` has no more turns from the next round on.
        """
        end = self.clock() + self.seconds
        for n in range(self.most):
            if n and (self.clock() > end or all(narrow_enough(one.series.seconds, self.precision) for one in timed)):
                return
            for one in order.sample(timed, len(timed)):
                yield n, one
