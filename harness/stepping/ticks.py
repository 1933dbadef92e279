"""The ticks that adaptive steps end on, and a solve's way over them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from harness.arrays import Namespace, Scalar
from harness.grid import Grid

SDE_TICKS = 2**14
"""Also the number of shortest steps of a library's adaptive solve of an SDE."""
ODE_TICKS = 2**24


@dataclass(frozen=True)
class Ticks:
    """The ends and the middles of the steps of a fine grid, `cells`, by number.

    Steps end on ticks, so that the times of a step are the same numbers in every framework, and a Brownian path is
    asked at times that it has exactly. Every observation is a tick of an even number. Between two observations all
    ticks have one length.
    """

    cells: Grid

    @classmethod
    def of(cls, grid: Grid, *, noisy: bool) -> Ticks:
        """The grid of first steps, each cut into 2^k ticks, as few as are enough.

        An SDE's path is asked at ticks alone, and the shared one is held at all of them. So an SDE has fewer ticks than
        an ODE, whose ticks only serve to end steps at the same times in every framework.
        """
        steps = grid.steps
        while 2 * steps < (SDE_TICKS if noisy else ODE_TICKS):
            steps *= 2
        return cls(Grid.cached(grid.t0, grid.t1, steps, grid.observations))

    @property
    def count(self) -> int:
        """The number of ticks after the first, which is tick 0, at t0."""
        return 2 * self.cells.steps

    @property
    def span(self) -> float:
        """t1 − t0."""
        return self.cells.t1 - self.cells.t0

    @property
    def mean(self) -> float:
        """The mean distance of two ticks."""
        return self.span / self.count

    @property
    def equal(self) -> bool:
        """Whether all ticks have one distance."""
        return self.cells.equal_step is not None

    @functools.cached_property
    def marks(self) -> np.ndarray:
        """Tick 0, and the ticks of the observations, (observations + 1,)."""
        return np.append(0, 2 * self.cells.observed)

    @functools.cached_property
    def ends(self) -> np.ndarray:
        """The times of these, (observations + 1,)."""
        observations = self.cells.observations
        assert not isinstance(observations, int)
        return np.array([self.cells.t0, *observations])

    @functools.cached_property
    def distances(self) -> np.ndarray:
        """The length of a tick before each observation, (observations,)."""
        return np.diff(self.ends) / np.diff(self.marks)

    def elapsed_times(self) -> np.ndarray:
        """The time of every tick less t0, float64, (count + 1,)."""
        return self.cells.halves - self.cells.t0

    def time(self, xp: Namespace, tick: Scalar) -> Scalar:
        """The time of a tick."""
        if self.equal:
            return self.cells.t0 + tick * self.mean
        marks = xp.asarray(self.marks)
        place = xp.searchsorted(marks, tick, side="right") - 1
        distances = xp.asarray(np.append(self.distances, 0.0))
        return xp.asarray(self.ends)[place] + (tick - marks[place]) * distances[place]


@dataclass(frozen=True)
class Way:
    """A solve's way over the ticks: from t0 to t1, or from t1 to t0 where `sign` is −1.

    `place` is the number of ticks that the solve has gone over. It may be traced.
    """

    ticks: Ticks
    sign: int = 1

    def tick(self, place: Scalar) -> Scalar:
        """The tick there."""
        return place if self.sign > 0 else self.ticks.count - place

    def time(self, xp: Namespace, place: Scalar) -> Scalar:
        """The time there."""
        return self.ticks.time(xp, self.tick(place))

    def ahead(self, xp: Namespace, place: Scalar) -> tuple[Scalar, Scalar]:
        """The number of ticks to the next observation, and the length of each of them."""
        stride = self._stride
        if stride is not None:
            return stride - place % stride, self.ticks.mean
        marks = xp.asarray(self._marks)
        passed = xp.searchsorted(marks[1:], place, side="right")
        distances = self.ticks.distances
        return marks[passed + 1] - place, xp.asarray(distances if self.sign > 0 else distances[::-1])[passed]

    def met(self, xp: Namespace, place: Scalar) -> tuple[Scalar, Scalar]:
        """Whether an observation (or, going back, t0) is there, and how many of them have been met, with this one."""
        stride = self._stride
        if stride is not None:
            return place % stride == 0, place // stride
        marks = xp.asarray(self._marks)
        passed = xp.searchsorted(marks[1:], place, side="right")
        return marks[passed] == place, passed

    @property
    def _stride(self) -> int | None:
        """The ticks between two observations, where they are the same number."""
        stride = self.ticks.cells.stride
        return None if stride is None else 2 * stride

    @property
    def _marks(self) -> np.ndarray:
        """The places of the ends of intervals between observations, the start first."""
        marks = self.ticks.marks
        return marks if self.sign > 0 else self.ticks.count - marks[::-1]
