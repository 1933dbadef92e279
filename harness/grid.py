"""The grid of a solve: the steps, and which of their ends are observed."""

from __future__ import annotations

import functools
import heapq
import itertools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.case import Case
from harness.errors import shown
from harness.limits import LARGEST_COUNT
from harness.problem import AbstractProblem

EXACT = 1e-6
"""How near an interval over dt must be to a number of steps to be that many, relative to it: room for a float32."""


@dataclass(frozen=True)
class Grid:
    """`steps` steps on [t0, t1].

    `observations` is a number, of equally spaced observations of which the last is at t1; the steps are then all of one
    length. Or it is the times of the observations, increasing, the last of them t1. Between two of these the steps have
    one length. The steps are shared out so that the longest step is as short as possible.

    Raises ValueError where the steps can't be shared out.
    """

    t0: float
    t1: float
    steps: int
    observations: int | tuple[float, ...] = 1

    def __post_init__(self) -> None:
        """Every interval between observations needs a step of its own."""
        if isinstance(self.observations, int):
            if self.steps < 1 or self.steps % self.observations:
                raise ValueError(f"{self.observations} equally spaced observations don't divide {self.steps} steps")
            return
        ends = [self.t0, *self.observations]
        if any(a >= b for a, b in itertools.pairwise(ends)) or ends[-1] != self.t1:
            raise ValueError(
                f"observations at {shown(list(self.observations))}; needed: increasing times after t0 = {self.t0:g}, "
                f"the last of them t1 = {self.t1:g}"
            )
        if self.steps < len(self.observations):
            raise ValueError(
                f"{self.steps} steps for {len(self.observations)} observations; needed: one each, at least"
            )

    @staticmethod
    @functools.lru_cache(maxsize=64)
    def cached(t0: float, t1: float, steps: int, observations: int | tuple[float, ...]) -> Grid:
        """The same object for the same values, so that its arrays are made once."""
        return Grid(t0, t1, steps, observations)

    @classmethod
    def of_case(cls, problem: AbstractProblem, case: Case) -> Grid:
        """That of a case."""
        return cls.cached(problem.t0, problem.t1, case.steps, case.observations)

    @classmethod
    def of(cls, ts: object, steps: int | None, dt: float | None) -> Grid:
        """Observed at `ts`, an array or a sequence of increasing numbers of which the first is t0.

        `steps` counts the steps over all of it; or no step is longer than `dt`. Raises ValueError.
        """
        times = _times(ts)
        if steps is not None and dt is None:
            count = _index(steps)
        elif dt is not None and steps is None:
            count = _counted(times, dt)
        else:
            raise ValueError(f"give either steps or dt, given {'neither' if steps is None else 'both'}")
        observations = canonical_observations(times[0], times[-1], times[1:])
        return cls.cached(times[0], times[-1], count, observations)

    @property
    def count(self) -> int:
        """The number of observations."""
        return count_of(self.observations)

    @property
    def stride(self) -> int | None:
        """Steps between observations where these are equally spaced, and the steps of one length; else None."""
        return self.steps // self.observations if isinstance(self.observations, int) else None

    @property
    def equal_step(self) -> float | None:
        """The length of every step, where it is the same; else None."""
        return (self.t1 - self.t0) / self.steps if isinstance(self.observations, int) else None

    @functools.cached_property
    def shares(self) -> tuple[int, ...]:
        """The number of steps before each observation, after the one before it."""
        if isinstance(self.observations, int):
            return (self.steps // self.observations,) * self.observations
        return _shared_out(self.t0, self.observations, self.steps)

    @functools.cached_property
    def observed(self) -> np.ndarray:
        """The grid points of the observations, (count,): point n is the end of n steps."""
        return np.cumsum(self.shares)

    @functools.cached_property
    def halves(self) -> np.ndarray:
        """The grid points with the middles of the steps between them, float64, (2 steps + 1,)."""
        if isinstance(self.observations, int):
            found = (self.t1 - self.t0) * np.arange(2 * self.steps + 1) / (2 * self.steps) + self.t0
        else:
            pieces: list[np.ndarray] = []
            start = self.t0
            for end, share in zip(self.observations, self.shares, strict=True):
                pieces.append((end - start) * np.arange(2 * share) / (2 * share) + start)
                start = end
            found = np.concatenate([*pieces, [self.t1]])
        found[-1] = self.t1
        return found

    @property
    def times(self) -> np.ndarray:
        """The grid points, float64, (steps + 1,)."""
        return self.halves[::2]

    @functools.cached_property
    def lengths(self) -> np.ndarray:
        """The length of every step, float64, (steps,)."""
        if self.equal_step is not None:
            return np.full(self.steps, self.equal_step)
        assert not isinstance(self.observations, int)
        spans = np.diff([self.t0, *self.observations])
        return np.repeat(spans / self.shares, self.shares)

    def observed_times(self) -> np.ndarray:
        """The times of the observations, float64, (count,)."""
        return self.times[self.observed]


def count_of(observations: int | tuple[float, ...]) -> int:
    """The number of observations, whether it is given itself or by their times."""
    return observations if isinstance(observations, int) else len(observations)


def canonical_observations(t0: float, t1: float, times: Sequence[float]) -> int | tuple[float, ...]:
    """The number of observations at these times where they are equally spaced from t0, to rounding; else the times."""
    even: np.ndarray = np.linspace(t0, t1, len(times) + 1)[1:]
    rounding = 8 * np.finfo(np.float64).eps * max(abs(t0), abs(t1))
    return len(times) if (abs(np.asarray(times) - even) <= rounding).all() else tuple(times)


@functools.lru_cache(maxsize=64)
def _shared_out(t0: float, ends: tuple[float, ...], steps: int) -> tuple[int, ...]:
    """Steps for each interval between the ends: one each, every further one to where steps are longest."""
    spans = np.diff([t0, *ends])
    low, high = spans.sum() / steps, spans.max()  # the longest step lies between them
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if np.ceil(spans / middle).sum() <= steps else (middle, high)
    shares = np.ceil(spans / high).astype(int)
    left = steps - int(shares.sum())
    longest = [(-span / share, place) for place, (span, share) in enumerate(zip(spans, shares, strict=True))]
    heapq.heapify(longest)
    for _ in range(left):
        _, place = longest[0]
        shares[place] += 1
        heapq.heapreplace(longest, (-spans[place] / shares[place], place))
    return tuple(shares.tolist())


def _times(ts: object) -> list[float]:
    """Two or more increasing numbers. float32 times that are equally spaced in float32 are so in float64."""
    times = np.asarray(ts)
    if times.ndim != 1 or len(times) < 2 or times.dtype.kind not in "iuf":
        raise ValueError(f"ts is {shown(ts)}; needed: a sequence of at least two numbers")
    rounding = np.finfo(times.dtype if times.dtype.kind == "f" else np.float64).eps
    times = times.astype(np.float64)
    if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise ValueError(f"ts is {shown(ts)}; needed: finite, strictly increasing times")
    even = np.linspace(float(times[0]), float(times[-1]), len(times))
    return (even if (abs(times - even) <= 4 * rounding * abs(times).max()).all() else times).tolist()


def _counted(times: Sequence[float], dt: float) -> int:
    """The number of steps, none of which is longer than dt."""
    try:
        dt = float(dt)
    except (TypeError, ValueError):
        raise ValueError(f"dt is {shown(dt)}; needed: a number") from None
    if not 0 < dt < np.inf:
        raise ValueError(f"dt is {dt:g}; needed: a positive number")
    if (times[-1] - times[0]) / dt > LARGEST_COUNT:
        raise ValueError(f"dt is {dt:g}, which makes more than {LARGEST_COUNT} steps; needed: a longer step")
    ratios = np.diff(times) / dt
    return sum(max(1, math.ceil(ratio - EXACT * ratio)) for ratio in ratios)


def _index(steps: int) -> int:
    try:
        return operator.index(steps)
    except TypeError:
        raise ValueError(f"steps is {shown(steps)}; needed: an integer") from None
