"""The largest values that a suite may ask for can be used in a run."""

from __future__ import annotations

import jax
import pytest
from gradients import gradient

from harness.limits import LARGEST_SEED


@pytest.mark.parametrize("brownian", ["own", "shared", "tree"])
@pytest.mark.parametrize("method", ["torch/backprop", "jax/backprop"])
def test_the_largest_seed_is_usable(registry, make_case, method, brownian):
    assert gradient(registry, make_case(method=method, brownian=brownian, seed=LARGEST_SEED)).finite()


def test_the_largest_seed_is_usable_by_torchsde(registry, make_case):
    assert gradient(registry, make_case(method="torchsde/backprop", brownian="own", seed=LARGEST_SEED)).finite()


def test_jax_tells_all_seeds_apart_without_float64():
    """Which JAX reads in 32 bits then, so that the seed after the largest gives the numbers of seed 0."""
    with jax.enable_x64(False):
        keys = [jax.random.key_data(jax.random.key(s)).tolist() for s in (0, 1, LARGEST_SEED - 1, LARGEST_SEED)]
        beyond = jax.random.key_data(jax.random.key(LARGEST_SEED + 1)).tolist()
    assert len({tuple(key) for key in keys}) == 4
    assert beyond == keys[0]
