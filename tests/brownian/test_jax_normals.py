"""The normals of the native JAX samplers."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.stats import kstest

from harness.brownian.jax_normals import cos_and_sin_of_turns, standard_normals

DTYPES = ("float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_cosine_and_sine(dtype):
    """Within two units in the last place of 1, at the ends and at each quarter too."""
    u = np.concatenate([np.linspace(0, 1, 4097), np.random.default_rng(0).random(10_000)]).astype(dtype)
    cos, sin = map(np.asarray, cos_and_sin_of_turns(jax.numpy.asarray(u), dtype))
    assert cos.dtype == sin.dtype == dtype
    angle = 2 * np.pi * u.astype(np.longdouble)
    assert np.abs(cos - np.cos(angle)).max() <= 2 * np.finfo(dtype).eps
    assert np.abs(sin - np.sin(angle)).max() <= 2 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 7, 100_000])
def test_the_law(dtype, count):
    """Kolmogorov and Smirnov's test of the whole, the two halves uncorrelated, no two alike, and nothing infinite."""
    found = np.asarray(standard_normals(jax.random.key(3), count, dtype))
    assert found.shape == (count,)
    assert found.dtype == dtype
    assert np.isfinite(found).all()
    if count > 7:
        assert kstest(found, "norm").pvalue > 0.01
        halves = found.reshape(2, -1)
        assert abs(np.corrcoef(halves)[0, 1]) < 5 / np.sqrt(count / 2)
        assert abs(np.corrcoef(halves**2)[0, 1]) < 5 / np.sqrt(count / 2)
        assert len(np.unique(found)) > 0.98 * count  # float32 has few enough numbers for some to meet
    assert not np.array_equal(found, standard_normals(jax.random.key(4), count, dtype))
