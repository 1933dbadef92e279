"""The times at which f and g are evaluated: computed once, in float64, the same numbers in every backend."""

from __future__ import annotations

import bisect
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import Namespace, Scalar
from harness.grid import Grid

if TYPE_CHECKING:
    import jax
    import torch

NEAR = 0.01
"""A time within this part of half a step from a grid point, or from the middle of a step, is that point."""


@dataclass(frozen=True)
class Clock:
    """The times of a grid in the precision of a case.

    t0 + n dt, t0 + (n − 1) dt + dt and t1 − (N − n) dt are three numbers for one grid point: each is rounded in a way
    of its own, and XLA may fuse a product with a sum where PyTorch doesn't. A right-hand side that jumps at that point
    would be taken from one side here and from the other there. So each of them is replaced by the one number of this
    grid, the float64 of `Grid.halves`, rounded to the case's precision.
    """

    grid: Grid
    dtype: str = "float64"

    @functools.cached_property
    def halves(self) -> np.ndarray:
        """The grid points with the middles of the steps between them, float64, (2 steps + 1,)."""
        return self.grid.halves.astype(self.dtype).astype(np.float64)

    @property
    def times(self) -> np.ndarray:
        """The grid points, float64, (steps + 1,)."""
        return self.halves[::2]

    @classmethod
    def of(cls, stepping: object, dtype: str) -> Clock | None:
        """That of a grid; None where steps are adaptive, which end at times of their own."""
        return cls(stepping, dtype) if isinstance(stepping, Grid) else None

    def snap(self, xp: Namespace, t: Scalar) -> Scalar:
        """The grid's own number for a time at a grid point or at the middle of a step; another time as it is.

        t is a number, or an array without axes that belongs to `xp`, which is `torch` or `jax.numpy`.
        """
        if isinstance(t, float):
            return self._snap_number(t)
        if hasattr(t, "new_tensor"):  # a tensor's method, which other arrays lack
            return self._snap_tensor(xp, t)
        return self._snap_jax(xp, t)

    def _snap_number(self, t: float) -> float:
        t0, rate, reach, halves, edges = self._for_numbers
        place = bisect.bisect(edges, t) if rate is None else min(max(round((t - t0) * rate), 0), len(halves) - 1)
        found = halves[place]
        return found if -reach <= t - found <= reach else t

    @property
    def _rate(self) -> float | None:
        """Half steps a unit of time, where all steps are of one length."""
        step = self.grid.equal_step
        return None if step is None else 2 * self.grid.steps / (self.grid.t1 - self.grid.t0)

    @property
    def _reach(self) -> float:
        rate = self._rate
        return NEAR * float(self.grid.lengths.min()) / 2 if rate is None else NEAR / rate

    @functools.cached_property
    def _edges(self) -> np.ndarray:
        """What separates the nearest of `halves` from the next, (2 steps,)."""
        return (self.halves[1:] + self.halves[:-1]) / 2

    @functools.cached_property
    def _for_numbers(self) -> tuple[float, float | None, float, list[float], list[float]]:
        """What an eager solve needs at each evaluation of f and g, made once."""
        return self.grid.t0, self._rate, self._reach, self.halves.tolist(), self._edges.tolist()

    def _snap_tensor(self, torch: Namespace, t: torch.Tensor) -> torch.Tensor:
        """By the arithmetic that made `halves`, since a table would be one more argument of what is compiled."""
        grid, rate = self.grid, self._rate
        if rate is None:
            halves, edges = (torch.as_tensor(x, dtype=t.dtype, device=t.device) for x in (self.halves, self._edges))
            found = halves[torch.bucketize(t, edges)]
        else:
            place = torch.round((t - grid.t0) * rate).clamp(0, 2 * grid.steps)
            found = (grid.t1 - grid.t0) * place / (2 * grid.steps) + grid.t0
            found = torch.where(place == 2 * grid.steps, grid.t1, found)
        if self.dtype == "float32":
            found = found.float().double()
        return torch.where(abs(t - found) <= self._reach, found, t)

    def _snap_jax(self, jnp: Namespace, t: jax.Array) -> jax.Array:
        table, rate = jnp.asarray(self.halves, self.dtype), self._rate
        t = jnp.asarray(t, self.dtype)
        if rate is None:
            place = jnp.searchsorted(jnp.asarray(self._edges, self.dtype), t)
        else:
            place = jnp.clip(jnp.round((t - self.grid.t0) * rate).astype(int), 0, 2 * self.grid.steps)
        found = table[place]
        return jnp.where(abs(t - found) <= self._reach, found, t)
