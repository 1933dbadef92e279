"""Statistics of raw samples, computed when they are read."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.lazy import lazily

if TYPE_CHECKING:
    import pandas as pd
    from scipy import optimize, stats

    Samples = Sequence[float] | np.ndarray | pd.Series
    """A sequence of numbers, an array or a column of a DataFrame."""
else:
    optimize, stats = lazily("scipy.optimize", "scipy.stats")

RESAMPLES = 1000
CHUNK = 512
"""Samples that are resampled at once: their counts fit a processor's cache."""


def median_interval(samples: Samples, level: float = 0.95) -> tuple[float, float, float]:
    """The median and its percentile-bootstrap interval (Efron & Tibshirani 1993, section 13.3).

    Deterministic: the resampling has a fixed seed. With one sample the interval is that sample.
    """
    median, low, high = median_intervals(np.asarray(samples, dtype=np.float64)[None], level)[0]
    return float(median), float(low), float(high)


def median_intervals(samples: np.ndarray, level: float = 0.95) -> np.ndarray:
    """The medians of many samples of the same number with their intervals: (samples, values) in, (samples, 3) out.

    The median of a resample is the value at which the counts of the sorted values, summed up, reach the middle. So
    each resample is found by adding small integers, and nothing is sorted but the samples themselves.
    """
    number, size = samples.shape
    median = np.median(samples, axis=1)
    if size == 1:
        return np.stack([median] * 3, axis=1)
    counts, order = _resample_counts(size), np.argsort(samples, axis=1)
    ends = np.empty((number, 2))
    for start in range(0, number, CHUNK):
        part = slice(start, start + CHUNK)
        lower, upper = _middles(counts, order[part])
        ordered = np.take_along_axis(samples[part], order[part], axis=1)
        medians = (np.take_along_axis(ordered, lower, axis=1) + np.take_along_axis(ordered, upper, axis=1)) / 2
        finite = np.isfinite(medians).all(axis=1)
        for rows in (finite, ~finite):
            if rows.any():
                ends[part][rows] = _bounds_of_each(medians[rows], level).T
    return np.column_stack([median, ends])


def intervals_of(samples: Sequence[Samples]) -> np.ndarray:
    """As `median_intervals`, of samples of any numbers: (samples, 3), NaN where one is empty."""
    found = np.full((len(samples), 3), np.nan)
    by_size: dict[int, list[int]] = {}
    for place, values in enumerate(samples):
        by_size.setdefault(len(values), []).append(place)
    for size, places in by_size.items():
        if size:
            found[places] = median_intervals(np.array([samples[place] for place in places], dtype=float))
    return found


def _middles(counts: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of its sorted values are the two in the middle of each resample, both (samples, RESAMPLES).

    `counts` is how often a resample has each value, (values, RESAMPLES); `order` sorts each sample.
    """
    size = len(counts)
    reached = np.zeros((len(order), RESAMPLES), counts.dtype)
    lower, upper = np.zeros_like(reached), np.zeros_like(reached)
    for rank in range(size - 1):
        reached += counts[order[:, rank]]
        lower += reached < (size + 1) // 2
        upper += reached < size // 2 + 1
    return lower.astype(np.intp), upper.astype(np.intp)


@functools.cache
def _resample_counts(size: int) -> np.ndarray:
    """How often each of `size` values is in each resample, (values, RESAMPLES)."""
    index = np.random.default_rng(0).integers(size, size=(RESAMPLES, size))
    counts = np.zeros((size, RESAMPLES), np.min_scalar_type(size))
    np.add.at(counts, (index, np.arange(RESAMPLES)[:, None]), 1)
    return counts


def ratio_interval(numerator: Samples, denominator: Samples) -> tuple[float, float, float]:
    """The median of the ratios round by round, with its interval."""
    return median_interval(ratios_of_rounds(numerator, denominator))


def ratio_of_medians(numerator: Samples, denominator: Samples, level: float = 0.95) -> tuple[float, float, float]:
    """The ratio of two medians whose samples were taken apart, with its percentile-bootstrap interval.

    Both are resampled, independently of each other. The interval doesn't know by how much the machine changed between
    them.
    """
    rng = np.random.default_rng(0)
    resampled = [
        np.median(values[rng.integers(len(values), size=(RESAMPLES, len(values)))], axis=1)
        for values in (np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float))
    ]
    return float(np.median(numerator) / np.median(denominator)), *_bounds(resampled[0] / resampled[1], level)


def ratios_of_rounds(numerator: Samples, denominator: Samples) -> np.ndarray:
    """Round by round, of the rounds that both have. Both must be of the same rounds, in order."""
    count = min(len(numerator), len(denominator))
    return np.asarray(numerator[:count]) / np.asarray(denominator[:count])


def narrow_enough(samples: Sequence[float], precision: float) -> bool:
    """Whether the median's interval reaches no further than `precision`, relative, to either side. Needs five."""
    if len(samples) < 5:
        return False
    median, low, high = median_interval(samples)
    return high - median <= precision * median and median - low <= precision * median


def log_slope(x: Samples, y: Samples) -> float:
    """The slope of log y over log x, by least squares."""
    return float(np.polyfit(np.log(np.asarray(x, dtype=float)), np.log(np.asarray(y, dtype=float)), 1)[0])


def growth_exponent(x: Samples, y: Samples, *, least: float = 0.02) -> float:
    """The p of y = c + b xᵖ: the power at which y grows, what doesn't grow (c) aside. 0 is a logarithm.

    Least squares on relative residuals over p in [−½, 3], c and b solved for at each (variable projection); the basis
    is (xᵖ − 1)/p, which is log x at p = 0. NaN below four points, as three are met by any three unknowns, and where y
    varies by less than `least`, relative: there is no growth to fit.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(x) < 4 or y.max() - y.min() < least * y.min():
        return math.nan
    log_x = np.log(x / x.min())

    def misfit(p: float) -> float:
        basis = np.stack([np.ones_like(x), log_x if abs(p) < 1e-6 else np.expm1(p * log_x) / p], axis=1) / y[:, None]
        solution = np.linalg.lstsq(basis, np.ones_like(y), rcond=None)[0]
        return float(((basis @ solution - 1) ** 2).sum())

    return float(np.asarray(optimize.fminbound(misfit, -0.5, 3, xtol=1e-6)))


def slope_interval(x: np.ndarray, samples: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """The log–log slope of the median of `samples`, (points, replicates), over `x`, (points,), with its interval.

    Replicates are resampled whole, since a path is the same at every point. With one replicate the interval is that
    of ordinary least squares (Student's t).
    """
    if samples.shape[1] == 1:
        return _least_squares(x, samples[:, 0], level)
    design = _design(x)
    slope = float(design @ np.log(np.median(samples, axis=1)))
    index = np.random.default_rng(0).integers(samples.shape[1], size=(RESAMPLES, samples.shape[1]))
    slopes = np.log(np.median(samples[:, index], axis=2)).T @ design
    return slope, *_bounds(slopes, level)


def median_slope(x: np.ndarray, samples: Sequence[Samples], level: float = 0.95) -> tuple[float, float, float]:
    """The log–log slope over `x` of medians that were had apart, each of as many `samples` as there are, with interval.

    The samples of each point are resampled by themselves. Where a point has one alone, the interval is that of
    ordinary least squares.
    """
    medians = np.array([np.median(values) for values in samples])
    if min(map(len, samples)) == 1:
        return _least_squares(x, medians, level)
    rng, design = np.random.default_rng(0), _design(x)
    resampled = [
        np.median(np.asarray(values)[rng.integers(len(values), size=(RESAMPLES, len(values)))], axis=1)
        for values in samples
    ]
    return float(design @ np.log(medians)), *_bounds(design @ np.log(np.array(resampled)), level)


def slope_change(x: np.ndarray, samples: np.ndarray, level: float = 0.95) -> tuple[float, float, float, float]:
    """The log–log slopes of the median over the coarser and over the finer half of `x`, and the interval of their step.

    The halves share the middle point: of five, the first three and the last three; each slope is had from its ends.
    Returns (first, second, low, high), low and high bounding second − first by resampling whole replicates. With one
    replicate there is nothing to resample, and both are second − first.
    """
    log_x, middle = np.log(x), len(x) // 2

    def slopes(medians: np.ndarray) -> np.ndarray:
        y = np.log(medians)
        return np.stack([(y[j] - y[i]) / (log_x[j] - log_x[i]) for i, j in ((0, middle), (middle, len(x) - 1))])

    first, second = slopes(np.median(samples, axis=1))
    index = np.random.default_rng(0).integers(samples.shape[1], size=(RESAMPLES, samples.shape[1]))
    resampled = slopes(np.median(samples[:, index], axis=2))
    return float(first), float(second), *_bounds(resampled[1] - resampled[0], level)


def _design(x: np.ndarray) -> np.ndarray:
    """The weights of the logarithms of values at `x` in the slope of their least-squares line."""
    log_x = np.log(x)
    return (log_x - log_x.mean()) / ((log_x - log_x.mean()) ** 2).sum()


def _least_squares(x: np.ndarray, values: np.ndarray, level: float) -> tuple[float, float, float]:
    """The log–log slope of `values` over `x`, with the interval that their distances from the line give."""
    log_x, y, design = np.log(x), np.log(values), _design(x)
    slope = float(design @ y)
    residual = y - y.mean() - slope * (log_x - log_x.mean())
    reach = _student(level, len(x) - 2) * math.sqrt((residual**2).sum() / (len(x) - 2) * (design**2).sum())
    return slope, slope - reach, slope + reach


def _bounds(resampled: np.ndarray, level: float) -> tuple[float, float]:
    low, high = _bounds_of_each(resampled[None], level)[:, 0]
    return float(low), float(high)


def _bounds_of_each(resampled: np.ndarray, level: float) -> np.ndarray:
    """Percentiles of each row, (2, rows). Between two infinite values, of errors without bound, there is no
    interpolation."""
    method = "linear" if np.isfinite(resampled).all() else "higher"
    return np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=1, method=method)


def _student(level: float, freedom: int) -> float:
    """The quantile of Student's t that bounds so much of it."""
    return float(stats.t.ppf((1 + level) / 2, freedom))
