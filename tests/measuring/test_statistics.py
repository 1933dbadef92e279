"""Statistics of samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness.measuring.statistics import (
    RESAMPLES,
    growth_exponent,
    log_slope,
    median_interval,
    median_intervals,
    median_slope,
    narrow_enough,
    ratio_interval,
    slope_change,
    slope_interval,
)


def test_the_interval_holds_the_median():
    median, low, high = median_interval([3.0, 1.0, 2.0, 10.0, 2.5])
    assert median == 2.5
    assert low <= median <= high


def test_one_sample_is_its_own_interval():
    assert median_interval([2.0]) == (2.0, 2.0, 2.0)


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        _, low, high = median_interval(rng.exponential(size=25))
        hits += low <= np.log(2) <= high
    assert 0.90 <= hits / 300 <= 0.99


@pytest.mark.parametrize("size", [2, 3, 4, 10, 31])
def test_many_samples_have_the_intervals_of_resampling(size):
    """To the bit, also where values are equal or without bound."""
    samples = np.random.default_rng(size).lognormal(size=(6, size))
    samples[1], samples[2, 0], samples[3], samples[4, :2] = 1.0, math.inf, math.inf, samples[4, 0]
    index = np.random.default_rng(0).integers(size, size=(RESAMPLES, size))
    for values, found in zip(samples, median_intervals(samples), strict=True):
        medians = np.median(values[index], axis=1)
        method = "linear" if np.isfinite(medians).all() else "higher"
        ends = np.quantile(medians, [0.025, 0.975], method=method)
        assert found.tolist() == [np.median(values), *ends]


def test_ratios_cancel_common_noise():
    drift = np.array([1.0, 5.0, 0.2])
    assert ratio_interval(2 * drift, drift) == pytest.approx((2.0, 2.0, 2.0))


def test_narrow_enough():
    assert not narrow_enough([1.0] * 4, 0.1)
    assert narrow_enough([1.0] * 5, 0.1)
    assert not narrow_enough([1.0, 2.0, 3.0, 4.0, 5.0], 0.1)


def test_log_slope():
    assert log_slope([1, 10, 100], [5, 500, 50000]) == pytest.approx(2.0)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_growth_beside_a_constant(power):
    x = np.array([64, 256, 1024, 4096])
    assert growth_exponent(x, 1e3 + 3 * x**power) == pytest.approx(power, abs=1e-3)
    assert log_slope(x, 1e3 + 3 * x**power) < power


def test_growth_of_a_logarithm_and_of_nothing():
    x = np.array([64, 256, 1024, 4096])
    assert growth_exponent(x, 10 + np.log(x)) == pytest.approx(0, abs=1e-3)
    assert np.isnan(growth_exponent(x, 1000 + np.log(x)))
    assert np.isnan(growth_exponent(x[:3], x[:3]))


def test_a_slope_over_shared_replicates():
    """What scales every point of a replicate alike leaves the slope alone; noise of each point widens the interval."""
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    rng = np.random.default_rng(0)
    shared = x[:, None] ** -1.5 * np.exp(rng.normal(size=40))
    assert slope_interval(x, shared) == pytest.approx((-1.5, -1.5, -1.5))
    slope, low, high = slope_interval(x, shared * np.exp(0.3 * rng.normal(size=(5, 40))))
    assert low < slope < high
    assert low < -1.5 < high
    assert high - low < 0.4


def test_medians_had_apart_count_with_all_their_samples():
    rng, x = np.random.default_rng(0), np.array([64.0, 256.0, 1024.0, 4096.0])
    samples = [
        2e-6 * n**1.1 * np.exp(0.05 * rng.normal(size=count)) for n, count in zip(x, (40, 30, 20, 5), strict=True)
    ]
    slope, low, high = median_slope(x, samples)
    assert low <= 1.1 <= high
    assert low < slope < high < low + 0.1
    first_is_slow = [[9 * values.max(), *values] for values in samples[:-1]] + samples[-1:]
    assert median_slope(x, first_is_slow)[0] == pytest.approx(slope, abs=0.02)
    alone = [values[:1] for values in samples]
    assert median_slope(x, alone) == slope_interval(x, np.array(alone))


def test_a_slope_of_one_replicate_has_the_interval_of_least_squares():
    """Against scipy's own."""
    from scipy.stats import linregress

    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    y = np.array([1.0, 0.55, 0.21, 0.13, 0.07])
    fit: Any = linregress(np.log(x), np.log(y))
    slope, low, high = slope_interval(x, y[:, None])
    assert slope == pytest.approx(fit.slope)
    assert (high - low) / 2 == pytest.approx(fit.stderr * 3.182446, rel=1e-6)  # Student's t of 3 degrees, 97.5%


def test_slopes_of_the_two_halves():
    steps = np.array([16, 32, 64, 128, 256])
    bent = np.where(steps <= 64, steps**-2.0, steps**-1.0 / 64)[:, None]
    assert slope_change(steps, bent) == pytest.approx((-2, -1, 1, 1))
    assert slope_change(steps, steps[:, None] ** -1.5) == pytest.approx((-1.5, -1.5, 0, 0))


def test_the_interval_of_a_change_covers_as_often_as_it_says():
    steps = np.array([16, 32, 64, 128, 256])
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(100):
        *_, low, high = slope_change(steps, steps[:, None] ** -1.0 * rng.lognormal(size=(5, 50)))
        hits += low <= 0 <= high
    assert 90 <= hits <= 100


def test_an_error_without_bound_is_in_the_interval():
    """Of three samples one is infinite: so is the upper end, and the lower one isn't."""
    median, low, high = median_interval([0.5, 1.0, math.inf])
    assert (median, low, high) == (1.0, 0.5, math.inf)
