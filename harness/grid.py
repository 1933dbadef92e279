"""The grid of a solve by `harness.torch` and `harness.jax`: equal steps, observed at equally spaced times."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.errors import shown

DIVIDES = 1e-6
"""Relative to the number of steps: how near (t1 − t0) / dt must be to an integer. Room for a dt in float32."""


@dataclass(frozen=True)
class Grid:
    """`steps` equal steps on [t0, t1], observed `observations` times, the last time at t1."""

    t0: float
    t1: float
    steps: int
    observations: int

    def observed(self) -> list[float]:
        """The times at which the solve is observed, t0 first."""
        return np.linspace(self.t0, self.t1, self.observations + 1).tolist()

    @classmethod
    def of(cls, ts: Any, steps: int | None, dt: float | None) -> Grid:
        """Of `ts`, an array or a sequence of numbers, and of `steps` or `dt`. Raises ValueError where there is none."""
        t0, t1, observations = _observed(ts)
        if (steps is None) == (dt is None):
            raise ValueError(f"give either steps or dt, given {'neither' if steps is None else 'both'}")
        count = _counted(t1 - t0, dt) if steps is None else _index(steps)
        if count < 1 or count % observations:
            raise ValueError(
                f"{count} steps over {observations} intervals of ts; needed: a whole number of steps in each interval"
            )
        return cls(t0, t1, count, observations)


def _observed(ts: Any) -> tuple[float, float, int]:
    """The first and the last time, and how many follow the first."""
    times = np.asarray(ts)
    if times.ndim != 1 or len(times) < 2 or times.dtype.kind not in "iuf":
        raise ValueError(f"ts is {shown(ts)}; needed: a sequence of at least two numbers")
    rounding = np.finfo(times.dtype if times.dtype.kind == "f" else np.float64).eps
    times = times.astype(np.float64)
    if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise ValueError(f"ts is {shown(ts)}; needed: finite, strictly increasing times")
    even = np.linspace(times[0], times[-1], len(times))
    if (abs(times - even) > 4 * rounding * abs(times).max()).any():
        raise ValueError("ts is not equally spaced; needed: the same interval between all neighbouring times")
    return float(times[0]), float(times[-1]), len(times) - 1


def _counted(span: float, dt: Any) -> int:
    try:
        dt = float(dt)
    except (TypeError, ValueError):
        raise ValueError(f"dt is {shown(dt)}; needed: a number") from None
    if not 0 < dt < np.inf:
        raise ValueError(f"dt is {dt:g}; needed: a positive number")
    count = round(span / dt)
    if count < 1 or abs(span / dt - count) > DIVIDES * count:
        raise ValueError(f"dt is {dt:g}; needed: a step that divides ts[-1] - ts[0] = {span:g}")
    return count


def _index(steps: Any) -> int:
    try:
        return operator.index(steps)
    except TypeError:
        raise ValueError(f"steps is {shown(steps)}; needed: an integer") from None
