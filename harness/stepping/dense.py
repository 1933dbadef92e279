"""The states between the ends of adaptive steps, by a scheme's continuous extension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.arithmetic import axpy
from harness.arrays import A, Scalar
from harness.grid import Grid
from harness.schemes._runge_kutta import AbstractRungeKutta
from harness.stepping.ticks import Ticks

Weights = tuple[tuple[float, ...], ...]
"""As `AbstractRungeKutta.dense`."""


@dataclass(frozen=True)
class Dense:
    """Where the observations of a solve lie, whose steps end at any ticks, and the weights of the stages there."""

    weights: Weights
    ticks: Ticks
    grid: Grid

    @classmethod
    def of(cls, scheme: AbstractRungeKutta, grid: Grid) -> Dense | None:
        """For a grid of first steps with the observations; None where there is no extension, or nothing between."""
        if scheme.dense is None or grid.count == 1:
            return None
        return cls(scheme.dense, Ticks.of(Grid.cached(grid.t0, grid.t1, grid.steps, 1), noisy=False), grid)

    def places(self) -> np.ndarray:
        """The times of the observations less t0, in ticks, float64, (observations,)."""
        found = (self.grid.observed_times() - self.grid.t0) / self.ticks.mean
        return np.clip(found, 0.0, self.ticks.count)

    def marks(self) -> np.ndarray:
        """The first tick at or after each observation, (observations,)."""
        return np.ceil(self.places()).astype(int)

    def gaps(self) -> np.ndarray:
        """How far before this tick the observation is, in ticks, below 1, float64, (observations,)."""
        return self.marks() - self.places()

    def weights_at(self, part: Scalar) -> list[tuple[int, Scalar]]:
        """The stages that count at this part of a step, from 0 to 1, each with its weight but for the step's length."""
        found: list[tuple[int, Scalar]] = []
        for stage, row in enumerate(self.weights):
            if any(row):
                total = row[-1]
                for weight in reversed(row[:-1]):
                    total = weight + part * total
                found.append((stage, part * total))
        return found

    def state(self, part: Scalar, dt: Scalar, y0: A, stages: Sequence[A]) -> A:
        """y at this part of a step over dt from y0, given f at every stage."""
        y = y0
        for stage, weight in self.weights_at(part):
            y = axpy(weight * dt, stages[stage], y)
        return y
