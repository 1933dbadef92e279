"""The shared path at the ticks that adaptive steps end on."""

from __future__ import annotations

import numpy as np

from harness.brownian.path import SharedPath
from harness.stepping.ticks import Ticks


def values(path: SharedPath, ticks: Ticks) -> np.ndarray:
    """W at every tick, less W at the first, float64, (ticks + 1, batch, noise_dim)."""
    W, _ = path.increments(ticks.count) if ticks.equal else path.between(ticks.cells.halves)
    return np.concatenate([np.zeros_like(W[:1]), np.cumsum(W, axis=0)])
