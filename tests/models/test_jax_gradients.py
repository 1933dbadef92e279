"""The gradient of a JAX model is that of a script that calls the library itself, on the same noise."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import jax_models as models
import numpy as np
import pytest
from jax_probed import case_of, facts_of, gradient_of, gradients_of, path_for

import harness.jax
from harness.brownian.diffrax_path import InjectedBrownian
from harness.gradient_arrays import relative_error
from harness.models.facts import ModelFacts

STEPS = 8
ROUNDING = 1e-12
"""A gradient of some dozen steps in float64, summed in another order."""


def increments(facts: ModelFacts) -> np.ndarray:
    """Of the shared path, (steps, batch, noise_dim)."""
    path = path_for(facts)
    assert path is not None
    return path.increments(STEPS)[0]


def lookup(facts: ModelFacts) -> Callable[[Any, Any], jax.Array]:
    """The shared path as `harness.jax.sdeint` is given one."""
    dW = jnp.asarray(increments(facts))
    return lambda t0, _: dW[jnp.round(t0 * STEPS).astype(int)]


def flat(tree: Any) -> np.ndarray:
    """The gradient by the float arrays of a tree, in the order of their names."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    named = {jax.tree_util.keystr(path): x for path, x in leaves if jnp.issubdtype(jnp.result_type(x), jnp.floating)}
    return np.concatenate([np.ravel(named[name]) for name in sorted(named)])


@pytest.mark.parametrize(("method", "scheme"), [("backprop", "heun"), ("adjoint", "midpoint")])
def test_sdeint_of_a_dict_of_parameters(method, scheme):
    facts = facts_of("diagonal")
    found = gradient_of(facts, case_of(facts, f"jax/{method}", scheme, STEPS))

    def loss(params):
        z = jax.random.normal(jax.random.key(3), (4, 2))
        ys = harness.jax.sdeint(
            lambda _, y, a: models.drift(a, y),
            lambda _, y, a: models.diffusion(a, y),
            models.latent_start(params, z),
            models.TIMES,
            params,
            noise_type="diagonal",
            method=method,
            scheme=scheme,
            steps=STEPS,
            path=lookup(facts),
        )
        return jnp.mean(ys[1:] ** 2)

    value, gradient = jax.jit(jax.value_and_grad(loss, allow_int=True))(models.diagonal_params())
    assert found.loss == pytest.approx(float(value), rel=ROUNDING)
    del gradient["net"]["depth"]
    assert relative_error(found.theta, flat(gradient)) < ROUNDING


@functools.cache
def by_diffrax(facts: ModelFacts) -> tuple[jax.Array, Any]:
    """The loss and the gradient of the generator, each sample solved by diffrax on its part of the shared path."""
    dW = jnp.asarray(increments(facts))

    def noise(key, index):
        times = jnp.linspace(0.0, 1.0, STEPS + 1)
        return InjectedBrownian(W=dW[:, index], H=dW[:, index], times=times, t0=0.0, t1=1.0)

    floats, rest = models.eqx.partition(models.Generator(jax.random.key(0)), models.eqx.is_inexact_array)

    def loss(floats):
        ys = models.generated(models.eqx.combine(floats, rest), diffrax.diffeqsolve, models.keys(4), noise)
        return jnp.mean(ys[:, 1:] ** 2)

    return jax.jit(jax.value_and_grad(loss))(floats)


@pytest.mark.parametrize("method", ["diffrax/recursive-checkpoint", "jax/backprop", "diffrax/backsolve"])
def test_a_solve_for_each_sample_under_vmap(method):
    facts = facts_of("generator")
    found = gradient_of(facts, case_of(facts, method, "heun", STEPS))
    value, gradient = by_diffrax(facts)
    assert found.loss == pytest.approx(float(value), rel=ROUNDING)
    distance = relative_error(found.theta, flat(gradient))
    assert distance < ROUNDING if method != "diffrax/backsolve" else 1e-6 < distance < 0.1


def test_an_ode_for_each_sample_backwards_in_time():
    facts = facts_of("backwards")
    x = jnp.linspace(-1.0, 1.0, 6).reshape(3, 2)

    def loss(A):
        def one(x):
            term = diffrax.ODETerm(lambda t, y, A: jnp.tanh(A @ y) + t)
            ys = diffrax.diffeqsolve(term, diffrax.Heun(), 1, 0, -1 / STEPS, x, A).ys
            assert ys is not None
            return ys[-1]

        return jnp.mean(jax.vmap(one)(x) ** 2)

    value, gradient = jax.jit(jax.value_and_grad(loss))(jnp.array([[0.1, 0.5], [-0.5, 0.2]]))
    for method in ("jax/backprop", "diffrax/direct"):
        found = gradient_of(facts, case_of(facts, method, "heun", STEPS))
        assert found.loss == pytest.approx(float(value), rel=ROUNDING)
        assert relative_error(found.theta, np.ravel(gradient)) < ROUNDING


def test_native_methods_and_diffrax_agree_on_a_batch_of_diagonal_noise():
    facts = facts_of("weakly_diagonal")
    native, library = (
        gradient_of(facts, case_of(facts, method, "euler", STEPS)) for method in ("jax/backprop", "diffrax/direct")
    )
    assert native.loss == pytest.approx(library.loss, rel=ROUNDING)
    assert relative_error(native.theta, library.theta) < ROUNDING


@pytest.mark.parametrize("method", ["jax/reversible", "diffrax/recursive-checkpoint"])
def test_samples_draw_noise_of_their_own(method):
    """Each sample has another path: with one for all, the mean of many paths would be far from the expectation."""
    facts = facts_of("generator")
    case = case_of(facts, method, "reversible-heun", STEPS, brownian="own")
    one, another = gradients_of(facts, case, 2)
    assert np.array_equal(one.theta, another.theta)
    assert np.isfinite(one.theta).all()
