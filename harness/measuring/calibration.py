"""A fixed calculation, whose time tells how fast the machine is at the moment."""

from __future__ import annotations

import statistics
import time

import numpy as np

SAMPLES = 7
"""The median of so many is taken: about 30 ms in all."""


def calibration_seconds() -> float:
    """The seconds of a fixed calculation: matrix products and tanh as a small network has them, and plain Python."""
    return statistics.median(_once() for _ in range(SAMPLES))


def spread() -> float:
    """By which factor equal calculations differ now: the third slowest of 30 over the third fastest."""
    taken = sorted(_once() for _ in range(30))
    return taken[-3] / taken[2]


def _once() -> float:
    x, weights = np.full((64, 64), 0.1, np.float32), np.full((64, 64), 1 / 64, np.float32)
    start = time.perf_counter()
    for _ in range(240):
        x = np.tanh(x @ weights)
    total = 0
    for n in range(80_000):
        total += n
    return time.perf_counter() - start
