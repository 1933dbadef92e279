"""Random numbers of float32 in a loss that is evaluated in float64."""

from __future__ import annotations

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from harness.models.jax.draws import drawn_in_single, samplers

KEY = 3
DRAWS = {
    "normal": lambda key: jax.random.normal(key, (5,)),
    "of a type": lambda key: jax.random.normal(key, (5,), jnp.zeros(1).dtype),
    "of float": lambda key: jax.random.uniform(key, (5,), float),
    "by keyword": lambda key: jax.random.uniform(key, shape=(5,), minval=jnp.array(-1.0), maxval=2.0),
    "a mean": lambda key: jax.random.multivariate_normal(key, jnp.arange(2.0), jnp.eye(2)),
    "bernoulli": lambda key: jax.random.bernoulli(key, jnp.array(0.4), (20,)),
    "integers": lambda key: jax.random.randint(key, (20,), 0, jnp.array(1000)),
    "a permutation": lambda key: jax.random.permutation(key, jnp.arange(20)),
    "a choice": lambda key: jax.random.choice(key, 20, (5,), replace=False),
    "categorical": lambda key: jax.random.categorical(key, jnp.log(jnp.arange(1.0, 9.0)), shape=(9,)),
    "bits": lambda key: jax.random.bits(key, (4,)),
    "compiled": lambda key: jax.jit(lambda key: jax.random.normal(key, (5,)))(key),
    "for each key": lambda key: jax.vmap(jax.random.normal)(jax.random.split(key, 3)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=list(DRAWS))
def test_the_numbers_are_those_without_x64(draw):
    """Floats are of float64 then, with the values of float32. Where JAX draws in float64, they are others."""
    with jax.enable_x64(False):
        single = np.asarray(draw(jax.random.key(KEY)))
    with drawn_in_single(), jax.enable_x64(True):
        found = draw(jax.random.key(KEY))
    assert found.dtype == ("float64" if single.dtype == np.float32 else single.dtype)
    assert (np.asarray(found) == single).all()


def test_in_float64_jax_draws_others():
    """Or there was nothing to do."""
    with jax.enable_x64(True):
        wide = np.asarray(DRAWS["normal"](jax.random.key(KEY)))
    with jax.enable_x64(False):
        assert np.abs(wide - np.asarray(DRAWS["normal"](jax.random.key(KEY)))).max() > 0.1


def test_a_gradient_goes_through_what_a_draw_depends_on():
    with drawn_in_single(), jax.enable_x64(True):
        mean = jnp.array([1.0, 2.0])
        gradient = jax.grad(lambda m: jax.random.multivariate_normal(jax.random.key(0), m, jnp.eye(2)).sum())(mean)
    assert gradient.dtype == "float64"
    assert np.asarray(gradient).tolist() == [1.0, 1.0]


def test_the_samplers_are_put_back():
    before = {name: getattr(jax.random, name) for name in samplers()}
    assert {"normal", "uniform", "bernoulli", "permutation", "bits"} <= set(before)
    assert not {"split", "key", "fold_in", "PRNGKey"} & set(before)
    with contextlib.suppress(RuntimeError), drawn_in_single():
        assert all(getattr(jax.random, name) is not before[name] for name in before)
        raise RuntimeError
    assert all(getattr(jax.random, name) is before[name] for name in before)
