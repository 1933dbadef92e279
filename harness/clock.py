"""The times at which f and g are evaluated: computed once, in float64, the same numbers in every backend."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.case import Case
from harness.problem import AbstractProblem

NEAR = 0.01
"""A time within this part of half a step from a grid point, or from the middle of a step, is that point."""


@dataclass(frozen=True)
class Clock:
    """A grid of `steps` equal steps on [t0, t1], in the precision of a case.

    t0 + n dt, t0 + (n − 1) dt + dt and t1 − (N − n) dt are three numbers for one grid point: each is rounded in a way
    of its own, and XLA may fuse a product with a sum where PyTorch doesn't. A right-hand side that jumps at that point
    would be taken from one side here and from the other there. So each of them is replaced by the one number of this
    grid: the float64 that (t1 − t0) n / N + t0 rounds to, rounded to the case's precision.
    """

    t0: float
    t1: float
    steps: int
    dtype: str = "float64"

    @functools.cached_property
    def halves(self) -> np.ndarray:
        """The grid points with the middles of the steps between them, float64, (2 steps + 1,)."""
        times = (self.t1 - self.t0) * np.arange(2 * self.steps + 1) / (2 * self.steps) + self.t0
        times[-1] = self.t1
        return times.astype(self.dtype).astype(np.float64)

    @property
    def times(self) -> np.ndarray:
        """The grid points, float64, (steps + 1,)."""
        return self.halves[::2]

    @classmethod
    def of(cls, problem: AbstractProblem, case: Case) -> Clock | None:
        """That of a case's grid; None where steps are adaptive, which end at times of their own."""
        if case.stepping != "fixed":
            return None
        return cls(problem.t0, problem.t1, case.steps, case.dtype)

    def snap(self, t: Any) -> Any:
        """The grid's own number for a time at a grid point or at the middle of a step; another time as it is.

        t is a number, an array of JAX or a tensor, a scalar each.
        """
        if isinstance(t, float):
            t0, rate, reach, halves = self._for_numbers
            found = halves[min(max(round((t - t0) * rate), 0), len(halves) - 1)]
            return found if -reach <= t - found <= reach else t
        if hasattr(t, "new_tensor"):  # a tensor's method, which other arrays lack
            return self._snap_tensor(t)
        return self._snap_jax(t)

    @property
    def _rate(self) -> float:
        return 2 * self.steps / (self.t1 - self.t0)

    @property
    def _reach(self) -> float:
        return NEAR / self._rate

    @functools.cached_property
    def _for_numbers(self) -> tuple[float, float, float, list[float]]:
        """What an eager solve needs at each evaluation of f and g, made once."""
        return self.t0, self._rate, self._reach, self.halves.tolist()

    def _snap_tensor(self, t: Any) -> Any:
        """By the arithmetic that made `halves`, since a table would be one more argument of what is compiled."""
        import torch

        place = torch.round((t - self.t0) * self._rate).clamp(0, 2 * self.steps)
        found = (self.t1 - self.t0) * place / (2 * self.steps) + self.t0
        found = torch.where(place == 2 * self.steps, self.t1, found)
        if self.dtype == "float32":
            found = found.float().double()
        return torch.where(abs(t - found) <= self._reach, found, t)

    def _snap_jax(self, t: Any) -> Any:
        import jax.numpy as jnp

        table = jnp.asarray(self.halves, self.dtype)
        t = jnp.asarray(t, self.dtype)
        found = table[jnp.clip(jnp.round((t - self.t0) * self._rate).astype(int), 0, 2 * self.steps)]
        return jnp.where(abs(t - found) <= self._reach, found, t)
