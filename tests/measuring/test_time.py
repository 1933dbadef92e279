"""Samples and paired rounds, by fake clocks."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

import pytest

from harness.measuring.time import SAMPLE_SECONDS, Rounds, Sample, Series, repeats_for, take_sample


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

    assert take_sample(call, 3, wall=wall, cpu=cpu) == Sample(wall_seconds=1.5, cpu_seconds=0.75)


@pytest.mark.parametrize(("once", "repeats"), [(SAMPLE_SECONDS / 5, 5), (SAMPLE_SECONDS * 3, 1), (0.0, 10_000)])
def test_short_calls_are_repeated_within_a_sample(once, repeats):
    assert repeats_for(0.1, lambda: Sample(once, once)) == repeats


def test_a_slow_first_call_is_not_tried_again():
    def once() -> Sample:
        raise AssertionError("a second call")

    assert repeats_for(30.0, once) == 1


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
def test_rounds_end_with_the_seconds_but_one_is_always_taken(seconds, rounds):
    clock = FakeClock()
    turns = timed(Rounds(8, seconds, 1e-9, clock), methods(a=[1.0, 0.9], b=[1.0, 0.9]), clock)
    assert len(turns) == 2 * rounds


def test_rounds_end_when_every_interval_is_narrow():
    """Five samples without spread are enough; one method that spreads holds up the others."""
    clock = FakeClock()
    assert len(timed(Rounds(50, 1e6, 0.02, clock), methods(a=[1.0], b=[2.0]), clock)) == 2 * 5
    assert len(timed(Rounds(50, 1e6, 0.02, clock), methods(a=[1.0], b=[1.0, 5.0]), clock)) == 2 * 50


def test_what_is_removed_has_no_more_turns():
    clock = FakeClock()
    left = methods(a=[1, 2], b=[1, 2])
    names = []
    for _, method in Rounds(3, 1e6, 1e-9, clock).turns(left, random.Random(0)):
        names.append(method.name)
        if method.name == "a":
            left.remove(method)
    assert sorted(names) == ["a", "b", "b", "b"]
