"""`harness.jax.odeint`: states of any shape and trees, as diffrax has them."""

from __future__ import annotations

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import harness.jax as native

TS = np.linspace(0.0, 1.0, 3)
STEPS = 8


def image_drift(t, y, w):
    return jnp.tanh(w * jnp.roll(y, 1, axis=-1) - y) * (1 + t)


def tree_drift(t, y, w):
    return {"x": -w * y["x"] + y["v"][1], "v": (jnp.sin(t) * y["v"][0], -y["v"][1] * y["x"].sum())}


class Rate(eqx.Module):
    """A drift that is a tree with parameters of its own."""

    rate: jax.Array

    def __call__(self, t, y, args):
        return -self.rate * y * args + t


IMAGES = jnp.linspace(-1.0, 1.0, 24).reshape(2, 3, 4)
TREE = {"x": jnp.linspace(0.0, 1.0, 3), "v": (jnp.ones((2, 2)), jnp.asarray(0.3))}
CASES = {
    "images": (image_drift, IMAGES),
    "tree": (tree_drift, TREE),
    "number": (lambda t, y, w: jnp.sin(t) - w * y, jnp.asarray(0.7)),
    "vector": (lambda t, y, w: jnp.sin(t) - w * y, jnp.linspace(0.0, 1.0, 5)),
    "module": (Rate(jnp.asarray(0.4)), jnp.linspace(0.0, 1.0, 5)),
}


def ours(drift, y0, w, method="backprop", scheme="midpoint"):
    return native.odeint(drift, y0, TS, w, method=method, scheme=scheme, steps=STEPS)


def theirs(drift, y0, w):
    return diffrax.diffeqsolve(
        diffrax.ODETerm(drift), diffrax.Midpoint(), 0.0, 1.0, 1 / STEPS, y0, w,
        saveat=diffrax.SaveAt(ts=jnp.asarray(TS)), adjoint=diffrax.DirectAdjoint(),
    ).ys  # fmt: skip


def loss(states):
    return sum(jnp.sum((n + 1) * x**2) for n, x in enumerate(jax.tree.leaves(states)))


def assert_close(found, expected, tolerance=1e-12):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for x, y in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


def states_and_gradients(solve, drift, y0, w):
    def value(y0, w):
        states = solve(drift, y0, w)
        return loss(states), states

    return jax.jit(jax.grad(value, argnums=(0, 1), has_aux=True))(y0, w)


@pytest.mark.parametrize(("drift", "y0"), CASES.values(), ids=CASES)
def test_states_and_gradients_are_diffraxs(drift, y0):
    w = jnp.asarray(0.8)
    assert_close(states_and_gradients(ours, drift, y0, w), states_and_gradients(theirs, drift, y0, w))


@pytest.mark.parametrize(("method", "scheme"), [("reversible", "reversible-heun"), ("checkpoint", "rk4")])
def test_exact_methods_take_trees(method, scheme):
    found, expected = (
        jax.jit(jax.grad(lambda y0, name=name: loss(ours(tree_drift, y0, 0.8, name, scheme))))(TREE)
        for name in (method, "backprop")
    )
    assert_close(found, expected, 1e-11)


def test_a_drift_with_parameters_has_gradients():
    found, expected = (
        jax.jit(jax.grad(lambda rate, solve=solve: loss(solve(Rate(rate), jnp.ones(5), 0.8))))(jnp.asarray(0.4))
        for solve in (ours, theirs)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_under_jit_and_vmap():
    solve = jax.jit(jax.vmap(lambda y0: ours(image_drift, y0, 0.8)))
    many = jnp.stack([IMAGES, 2 * IMAGES])
    np.testing.assert_allclose(solve(many)[1], ours(image_drift, 2 * IMAGES, 0.8), rtol=1e-13)


@pytest.mark.parametrize(
    ("y0", "words"),
    [
        ((), "a tree of arrays, none of them empty"),
        (jnp.zeros((0, 2)), "none of them empty"),
        ((jnp.zeros(2), jnp.zeros(2, jnp.float32)), "needed: one type"),
        ((jnp.zeros(2, int), jnp.zeros(2, int)), "the type of y0"),
    ],
)
def test_what_is_no_state_is_refused(y0, words):
    with pytest.raises(ValueError, match=words):
        native.odeint(lambda *at: at[1], y0, TS, steps=2)


def test_a_drift_of_another_form_is_refused():
    with pytest.raises(ValueError, match="drift must give what y is"):
        native.odeint(lambda *at: at[1][0], (jnp.zeros(2), jnp.zeros(3)), TS, steps=2)
