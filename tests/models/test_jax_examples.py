"""The examples in JAX: their gradient is that of diffrax called by themselves, on the same noise."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from jax_examples import CASES, EXAMPLES, found, script
from jax_probed import case_of, gradient_of

import harness
from harness.gradient_arrays import relative_error
from harness.models.source import Source

ROUNDING = 1e-12
"""A gradient of some dozen steps in float64, summed in another order."""
TINY = {"batch": 3, "width": 4}


@pytest.mark.parametrize("spec", CASES)
def test_an_example_is_found_and_has_the_gradient_of_diffrax(spec: str) -> None:
    """By diffrax within the harness. Native methods are compared in `test_jax_gradients`."""
    noise, calculus, scheme, steps = CASES[spec]
    facts = found(spec, TINY)
    assert (facts.noise, facts.calculus, facts.batch) == (noise, calculus, TINY["batch"])
    value, gradient = script(facts, steps)()
    leaves, _ = jax.tree_util.tree_flatten_with_path(gradient)
    named = {jax.tree_util.keystr(path): np.ravel(x) for path, x in leaves}
    expected = np.concatenate([named[name] for name in sorted(named)])
    ours = gradient_of(facts, case_of(facts, "diffrax/recursive-checkpoint", scheme, steps))
    assert ours.loss == pytest.approx(float(value), rel=ROUNDING)
    assert relative_error(ours.theta, expected) < ROUNDING


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

    value, found = jax.jit(jax.value_and_grad(of))([jnp.asarray(p.detach().numpy()) for p in model.field.parameters()])
    assert float(value) == pytest.approx(float(loss.detach()), rel=ROUNDING)
    for one, other in zip(found, expected, strict=True):
        assert relative_error(np.asarray(one), other.numpy()) < ROUNDING
