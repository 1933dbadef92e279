"""The normals of the native PyTorch samplers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from harness.brownian.torch_normals import TorchNormals

DTYPES = (torch.float32, torch.float64)
CPU = torch.device("cpu")


def draws(places, count, dtype, *, seed=3, stream=0):
    """The numbers of some places, (places, count)."""
    normals = TorchNormals(seed, dtype, CPU)
    return np.stack([normals(stream, place, count).numpy() for place in places])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 7, 16, 4096])
def test_the_law_across_places(dtype, count):
    """Kolmogorov and Smirnov's test of neighbouring places taken together, of one number each too."""
    found = draws(range(65_536 // count), count, dtype)
    assert found.dtype == str(dtype).removeprefix("torch.")
    assert kstest(found.ravel(), "norm").pvalue > 0.01


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lag", [1, 2, 64])
def test_places_are_uncorrelated(dtype, lag):
    """Numbers, and their squares, beside those of a later place; and beside those of the next stream."""
    found = draws(range(256), 400, dtype).astype(float)
    stream = draws(range(256), 400, dtype, stream=1).astype(float)
    bound = 4 / found.size**0.5
    for power in (1, 2):
        assert abs(np.corrcoef(found[:-lag].ravel() ** power, found[lag:].ravel() ** power)[0, 1]) < bound * 1.2
        assert abs(np.corrcoef(found.ravel() ** power, stream.ravel() ** power)[0, 1]) < bound


def test_a_place_is_itself_whatever_was_asked_before():
    """And torch's own generator is left as it was."""
    before = torch.get_rng_state()
    assert np.array_equal(draws([5], 100, torch.float32)[0], draws([0, 9, 5], 100, torch.float32)[-1])
    assert not np.array_equal(draws([5], 100, torch.float32), draws([5], 100, torch.float32, seed=4))
    assert torch.equal(torch.get_rng_state(), before)


def test_no_two_draws_of_a_solve_have_the_same_seed():
    """Of so many 32-bit numbers drawn at random some twenty would meet. These use all 32 bits."""
    normals = TorchNormals(11, torch.float32, CPU)
    seeds = np.array([normals.seed_of(stream, place) for stream in range(4) for place in range(100_000)])
    assert len(np.unique(seeds)) == len(seeds)
    assert seeds.min() >= 0
    assert 2**31 < seeds.max() < 2**32
    bits = (seeds[:, None] >> np.arange(32)) & 1
    assert np.abs(bits.mean(0) - 0.5).max() < 4 * 0.5 / len(seeds) ** 0.5
