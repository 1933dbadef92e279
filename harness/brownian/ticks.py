"""The ticks that adaptive steps end on, and the shared path at them."""

from __future__ import annotations

import numpy as np

from harness.brownian.path import SharedPath
from harness.case import Case

SDE_TICKS = 2**14
ODE_TICKS = 2**24


def ticks_of(case: Case) -> int:
    """Into how many ticks the interval is cut: `case.steps` times a power of two, at least 2, as few as are enough.

    An SDE's path is asked at ticks alone, and the shared one is held at all of them: so it has fewer than an ODE, where
    they are only there to end steps at the same times in both frameworks.
    """
    ticks = 2 * case.steps
    while ticks < (ODE_TICKS if case.noise == "none" else SDE_TICKS):
        ticks *= 2
    return ticks


def values(path: SharedPath, ticks: int) -> np.ndarray:
    """W at every tick, less W at the first, float64, (ticks + 1, batch, noise_dim)."""
    W, _ = path.increments(ticks)
    return np.concatenate([np.zeros_like(W[:1]), np.cumsum(W, axis=0)])
