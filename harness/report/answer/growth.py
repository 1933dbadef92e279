"""How a measure grows along an axis: the slope of a line in a log–log plot."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from harness.measuring.statistics import log_slope

CONSTANT = "constant"
LEAST = 3
"""Sizes that a slope needs."""
FLAT = 0.02
"""A slope of memory up to which it counts as not growing."""
PROPORTIONAL = 0.05
"""How far a slope may be from 1 to count as proportional growth."""


def slope(rows: pd.DataFrame, over: str, column: str) -> float:
    """The log–log slope of `column`, NaN below three sizes.

    Memory that has stopped growing counts as flat, whatever it did before: that of a sampler which holds a chunk of
    steps grows until the steps fill it.
    """
    x, y = (rows[name].to_numpy(dtype=float) for name in (over, column))
    known = np.isfinite(x) & ~np.isnan(y)
    x, first = np.unique(x[known], return_index=True)
    y = y[known][first]
    x, y = x[y > 0], y[y > 0]
    if len(x) < LEAST:
        return math.nan
    if column == "peak_bytes":
        last = log_slope(x[-2:], y[-2:])
        if last <= FLAT:
            return last
    return log_slope(x, y)


def power(value: float, over: str) -> str:
    """In words: constant, in proportion, or a power."""
    if math.isnan(value):
        return ""
    if abs(value) <= FLAT:
        return CONSTANT
    if abs(value - 1) <= PROPORTIONAL:
        return f"in proportion to {over}"
    return f"as {over}^{value:.2f}"
