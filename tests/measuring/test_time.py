"""Samples and paired rounds, by fake clocks."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

import pytest

from harness.measuring.time import (
    MOST_WARM_UPS,
    SAMPLE_SECONDS,
    WARM_UP_SECONDS,
    Rounds,
    Sample,
    Series,
    take_sample,
    warm_up,
)


class FakeClock:
    """Time passes only where `passes` says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Method:
    """What is timed: a name, the seconds of its calls one after the other, and its samples."""

    name: str
    takes: itertools.cycle
    series: Series = field(default_factory=Series)


def test_a_sample_is_all_its_calls_together():
    wall, cpu = FakeClock(), FakeClock()

    def call() -> None:
        wall.passes(0.5)
        cpu.passes(0.25)

    assert take_sample(call, 3, wall=wall, cpu=cpu, waited=FakeClock()) == Sample(wall_seconds=1.5, cpu_seconds=0.75)


def warmed_up(first_call_seconds: float, call_seconds: list[float]) -> tuple[int, list[int]]:
    """The calls of a sample after warming up, and those of each sample until then; the last duration stays."""
    taken: list[int] = []

    def sample(repeats: int) -> Sample:
        took = call_seconds[min(len(taken), len(call_seconds) - 1)] * repeats
        taken.append(repeats)
        return Sample(took, took)

    return warm_up(first_call_seconds, sample), taken


@pytest.mark.parametrize(("once", "repeats"), [(SAMPLE_SECONDS / 5, 5), (SAMPLE_SECONDS * 3, 1), (0.0, 10_000)])
def test_short_calls_are_repeated_within_a_sample(once, repeats):
    assert warmed_up(0.1, [once]) == (repeats, [1, repeats])


def test_samples_are_taken_until_they_settle():
    ms = SAMPLE_SECONDS / 10
    assert warmed_up(0.1, [10 * ms, 5 * ms, 2 * ms, 1 * ms, 1.04 * ms, 9 * ms]) == (10, [1, 1, 2, 5, 10])


def test_what_never_settles_is_timed_nevertheless():
    alternating = [0.01, 0.02] * MOST_WARM_UPS
    assert len(warmed_up(0.1, alternating)[1]) == MOST_WARM_UPS
    assert len(warmed_up(0.1, [WARM_UP_SECONDS, 1.0])[1]) == 2
    assert len(warmed_up(0.1, [1.1 * WARM_UP_SECONDS, 1.0])[1]) == 1


def test_there_is_no_warming_up_after_a_slow_first_call():
    assert warmed_up(30.0, [1.0]) == (1, [])


@pytest.mark.parametrize(("cpu_share", "expected"), [(0.0, 1.0), (0.75, 0.5), (1.0, 0.0)])
def test_what_a_sample_waited_for_others_is_kept(monkeypatch, cpu_share, expected):
    """Its threads waited for 1 s of 2 s: for others as far as its one core wasn't busy with it."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    wall, cpu, waited = FakeClock(), FakeClock(), FakeClock()

    def call() -> None:
        wall.passes(1.0)
        cpu.passes(cpu_share)
        waited.passes(0.5)

    assert take_sample(call, 2, wall=wall, cpu=cpu, waited=waited).waited_seconds == expected


def test_a_series_holds_the_part_that_each_sample_waited():
    series = Series(repeats=2)
    series.add(Sample(4.0, 3.0, waited_seconds=1.0))
    series.add(Sample(4.0, 4.0))
    assert series.waits == [0.25, 0.0]


def test_a_series_holds_seconds_of_one_call():
    series = Series(repeats=4)
    assert series.cpu_ratio is None
    series.add(Sample(2.0, 1.0))
    series.add(Sample(4.0, 2.0))
    assert series.seconds == [0.5, 1.0]
    assert series.cpu_ratio == 0.5


def timed(rounds: Rounds, methods: list[Method], clock: FakeClock) -> list[tuple[int, str]]:
    """All turns, each of which takes the method's next time."""
    turns = []
    for n, method in rounds.turns(methods, random.Random(0)):
        took = next(method.takes)
        clock.passes(took)
        method.series.add(Sample(took, took))
        turns.append((n, method.name))
    return turns


def methods(**takes: list[float]) -> list[Method]:
    return [Method(name, itertools.cycle(values)) for name, values in takes.items()]


def test_each_round_has_everyone_once_in_an_order_of_its_own():
    clock = FakeClock()
    turns = timed(Rounds(20, 1e6, 1e-9, clock), methods(a=[1, 2], b=[1, 2], c=[1, 2]), clock)
    rounds = [[name for n, name in turns if n == k] for k in range(20)]
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1


@pytest.mark.parametrize(("seconds", "rounds"), [(0.001, 1), (10.0, 6), (1e6, 8)])
def test_rounds_end_with_the_seconds_after_the_first(seconds, rounds):
    clock = FakeClock()
    turns = timed(Rounds(8, seconds, 1e-9, clock), methods(a=[1.1, 0.9], b=[1.1, 0.9]), clock)
    assert len(turns) == 2 * rounds


def test_the_slowest_leave_where_a_round_does_not_fit():
    """After the first round 5 s are left: one more with both, then three of the fast one alone."""
    clock = FakeClock()
    turns = timed(Rounds(20, 5.0, 1e-9, clock), methods(fast=[0.5], slow=[2.0]), clock)
    assert [name for _, name in turns].count("slow") == 3
    assert [n for n, name in turns if name == "slow"] == [0, 1, 2]
    assert [n for n, name in turns if name == "fast"] == [0, 1, 2]
    turns = timed(Rounds(20, 4.0, 1e-9, clock), methods(fast=[0.5], slow=[2.0]), clock)
    assert [n for n, name in turns if name == "slow"] == [0, 1]
    assert [n for n, name in turns if name == "fast"] == [0, 1, 2, 3, 4]


def test_rounds_end_when_every_interval_is_narrow():
    """Five samples without spread are enough; one method that spreads holds up the others."""
    clock = FakeClock()
    assert len(timed(Rounds(50, 1e6, 0.02, clock), methods(a=[1.0], b=[2.0]), clock)) == 2 * 5
    assert len(timed(Rounds(50, 1e6, 0.02, clock), methods(a=[1.0], b=[1.0, 5.0]), clock)) == 2 * 50


def test_a_method_that_left_holds_up_nobody():
    clock = FakeClock()
    turns = timed(Rounds(50, 40.0, 0.02, clock), methods(a=[1.0], b=[10.0, 25.0]), clock)
    assert [name for _, name in turns].count("a") == 5


def test_what_is_removed_has_no_more_turns():
    clock = FakeClock()
    left = methods(a=[1, 2], b=[1, 2])
    names = []
    for _, method in Rounds(3, 1e6, 1e-9, clock).turns(left, random.Random(0)):
        names.append(method.name)
        if method.name == "a":
            left.remove(method)
    assert sorted(names) == ["a", "b", "b", "b"]
