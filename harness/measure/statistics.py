"""Statistics of raw samples, computed when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

RESAMPLES = 1000

Samples = Any
"""A sequence of numbers, an array or a column of a DataFrame."""


def median_interval(samples: Samples, level: float = 0.95) -> tuple[float, float, float]:
    """The median and its percentile-bootstrap interval (Efron & Tibshirani 1993, section 13.3).

    Deterministic: the resampling has a fixed seed. With one sample the interval is that sample.
    """
    values = np.asarray(samples, dtype=np.float64)
    median = float(np.median(values))
    if values.size == 1:
        return median, median, median
    index = np.random.default_rng(0).integers(values.size, size=(RESAMPLES, values.size))
    medians = np.median(values[index], axis=1)
    low, high = np.quantile(medians, [(1 - level) / 2, (1 + level) / 2])
    return median, float(low), float(high)


def ratio_interval(numerator: Samples, denominator: Samples) -> tuple[float, float, float]:
    """The median of the ratios round by round, with its interval. Both must be of the same rounds, in order."""
    count = min(len(numerator), len(denominator))
    return median_interval(np.asarray(numerator[:count]) / np.asarray(denominator[:count]))


def narrow_enough(samples: Sequence[float], precision: float) -> bool:
    """Whether the median's interval reaches no further than `precision`, relative, to either side. Needs five."""
    if len(samples) < 5:
        return False
    median, low, high = median_interval(samples)
    return high - median <= precision * median and median - low <= precision * median


def log_slope(x: Samples, y: Samples) -> float:
    """The slope of log y over log x, by least squares."""
    return float(np.polyfit(np.log(np.asarray(x, dtype=float)), np.log(np.asarray(y, dtype=float)), 1)[0])
