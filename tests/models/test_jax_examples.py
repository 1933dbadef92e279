"""The examples in JAX: their gradient is that of diffrax called by themselves, on the same noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from jax_probed import case_of, gradient_of, path_for

import harness
from harness.brownian.diffrax_path import InjectedBrownian
from harness.brownian.path import increments_on
from harness.gradient_arrays import relative_error
from harness.grid import Grid
from harness.models.facts import ModelFacts
from harness.models.jax.probe import probe
from harness.models.source import Source

EXAMPLES = Path(harness.__file__).parents[1] / "docs" / "examples"
ROUNDING = 1e-12
"""A gradient of some dozen steps in float64, summed in another order."""
CASES = {
    "generator.py:generator": ("general", "stratonovich", "heun", 8),
    "latent_sde_jax.py:latent_sde": ("diagonal", "ito", "euler", 22),
}
TINY = {"batch": 3, "width": 4}


class Diffrax:
    """Stands for `solve`: diffrax itself, on the shared path in place of the example's own one."""

    def __init__(self, facts: ModelFacts, steps: int) -> None:
        path = path_for(facts)
        assert path is not None
        grid = Grid.of_case(facts, case_of(facts, "jax/backprop", "heun", steps))
        self._times = grid.times
        self._dW = jnp.asarray(increments_on(path, grid)[0])
        self._keys = jax.random.key_data(jax.vmap(own_key)(jax.random.split(jax.random.key(1), facts.batch)))

    def diffeqsolve(self, terms: Any, solver: Any, *given: Any, **options: Any) -> diffrax.Solution:
        """A sample is known by the key of its path."""
        drift, noise = terms.terms
        index = jnp.argmax((self._keys == jax.random.key_data(noise.control.key)).all(1))
        t0, t1, _, *others = given
        path = InjectedBrownian(
            W=self._dW[:, index], H=self._dW[:, index], times=jnp.asarray(self._times), t0=t0, t1=t1
        )
        posed = diffrax.MultiTerm(drift, diffrax.ControlTerm(noise.vector_field, path))
        controller = diffrax.StepTo(ts=self._times)
        return diffrax.diffeqsolve(posed, solver, t0, t1, None, *others, stepsize_controller=controller, **options)


def own_key(key: jax.Array) -> jax.Array:
    """That of the Brownian path that both examples make of a sample's key."""
    return diffrax.VirtualBrownianTree(0.0, 1.0, tol=1e-3, shape=(1,), key=jax.random.split(key)[1]).key


@pytest.mark.parametrize("spec", CASES)
def test_an_example_is_found_and_has_the_gradient_of_diffrax(spec: str) -> None:
    """By diffrax within the harness. Native methods are compared in `test_jax_gradients`."""
    noise, calculus, scheme, steps = CASES[spec]
    source, _ = Source.of(spec, EXAMPLES)
    facts = probe(source, source.model(), TINY, seed=0, device="cpu")
    assert (facts.noise, facts.calculus, facts.batch) == (noise, calculus, TINY["batch"])
    built: Any = source.model().factory(Diffrax(facts, steps), **TINY)
    loss, model = built
    floats, rest = eqx.partition(model, eqx.is_inexact_array)
    value, gradient = jax.jit(jax.value_and_grad(lambda floats: loss(eqx.combine(floats, rest))))(floats)
    leaves, _ = jax.tree_util.tree_flatten_with_path(gradient)
    named = {jax.tree_util.keystr(path): np.ravel(x) for path, x in leaves}
    expected = np.concatenate([named[name] for name in sorted(named)])
    found = gradient_of(facts, case_of(facts, "diffrax/recursive-checkpoint", scheme, steps))
    assert found.loss == pytest.approx(float(value), rel=ROUNDING)
    assert relative_error(found.theta, expected) < ROUNDING


def test_a_neural_cde_is_the_same_in_both_frameworks() -> None:
    """The example in PyTorch, and its field written in JAX, with irregular knots and the same parameters."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(0)
        example = Source.of("neural_cde.py:neural_cde", EXAMPLES)[0].model().factory.__globals__
        knots, xs, _ = example["data"](4)
        knots, xs = knots.double(), xs.double()
        model = example["NeuralCDE"](3, 5)
        model.path = example["HermitePath"](knots, xs)
        z0 = model.initial(xs[:, 0])
        ys = harness.torch.odeint(model, z0, knots, method="backprop", scheme="rk4", steps=38)
        loss = ys[-1].square().sum()
        expected = torch.autograd.grad(loss, list(model.field.parameters()))
    finally:
        torch.set_default_dtype(before)

    ts, widths, slopes, former = (
        jnp.asarray(x.numpy()) for x in (knots, model.path.widths, model.path.slopes, model.path.before)
    )

    def field(t: jax.Array, z: jax.Array, params: list[jax.Array]) -> jax.Array:
        w1, b1, w2, b2 = params
        i = jnp.clip(jnp.searchsorted(ts, t) - 1, 0, len(widths) - 1)
        s = (t - ts[i]) / widths[i]
        slope = former[:, i] + (4 * s - 3 * s**2) * (slopes[:, i] - former[:, i])
        matrices = jnp.tanh(jax.nn.relu(z @ w1.T + b1) @ w2.T + b2).reshape(*z.shape, -1)
        return (matrices @ slope[:, :, None])[:, :, 0]

    def of(params: list[jax.Array]) -> jax.Array:
        start = jnp.asarray(z0.detach().numpy())
        ys = harness.jax.odeint(field, start, np.asarray(knots), params, method="backprop", scheme="rk4", steps=38)
        return jnp.square(ys[-1]).sum()

    value, found = jax.value_and_grad(of)([jnp.asarray(p.detach().numpy()) for p in model.field.parameters()])
    assert float(value) == pytest.approx(float(loss.detach()), rel=ROUNDING)
    for one, other in zip(found, expected, strict=True):
        assert relative_error(np.asarray(one), other.numpy()) < ROUNDING
