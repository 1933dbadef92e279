"""Schemes converge at their orders, on problems with a closed form or the ODE."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from harness.brownian.path import SharedPath
from harness.initial import initial_values
from harness.measure.statistics import log_slope
from harness.terms import Terms


@pytest.mark.parametrize(
    ("scheme", "problem", "noise", "calculus", "order"),
    [
        ("euler", "example1", "diagonal", "ito", 0.5),
        ("euler", "example3", "additive", "ito", 1.0),
        ("milstein", "example1", "diagonal", "ito", 1.0),
        ("milstein", "example2", "diagonal", "stratonovich", 1.0),
        ("heun", "example1", "diagonal", "stratonovich", 1.0),
        ("midpoint", "example1", "diagonal", "stratonovich", 1.0),
        # Not 1, the order for additive noise: in the solution ∫W dt cancels, and with it the error's leading term.
        ("reversible-heun", "example3", "additive", "stratonovich", 2.0),
        # Kidger et al. prove 1/2 in general; the noise commutes here.
        ("reversible-heun", "example1", "diagonal", "stratonovich", 1.0),
        ("euler", "linear", "none", "stratonovich", 1.0),
        ("heun", "linear", "none", "stratonovich", 2.0),
        ("midpoint", "linear", "none", "stratonovich", 2.0),
        ("reversible-heun", "linear", "none", "stratonovich", 2.0),
        ("rk4", "linear", "none", "stratonovich", 4.0),
        ("rk4-38", "linear", "none", "stratonovich", 4.0),
    ],
)
def test_strong_order(registry, scheme, problem, noise, calculus, order):
    """The root mean square error over 200 paths at five steps, within 0.25 of the order."""
    it = registry.problem(problem, noise=noise, calculus=calculus, dim=2)
    stepper = registry.schemes[scheme]
    assert stepper.unsupported(it) is None
    y0, theta = initial_values(it, 200, 1)
    path = SharedPath(3, 200, it.noise_dim)
    exact = it.solution(np, 1.0, None if noise == "none" else path.total(), y0, theta)
    terms = Terms(jnp, it, jax.tree.map(jnp.asarray, theta))

    @functools.partial(jax.jit, static_argnums=1)
    def solve(dWs, steps):
        def step(state, inputs):
            n, dW = inputs
            return stepper.step(terms, n / steps, 1 / steps, state, dW), None

        state = stepper.init(terms, 0.0, jnp.asarray(y0))
        return jax.lax.scan(step, state, (jnp.arange(steps), dWs))[0][0]

    steps, errors = [16, 32, 64, 128, 256], []
    for n in steps:
        dWs = None if noise == "none" else jnp.asarray(path.increments(n)[0])
        errors.append(float(np.sqrt(np.mean((np.asarray(solve(dWs, n)) - exact) ** 2))))
    assert log_slope(steps, errors) == pytest.approx(-order, abs=0.25)


def test_refusals(registry):
    neural = registry.problem("neural", noise="diagonal", calculus="ito", dim=2)
    assert "stratonovich" in registry.schemes["heun"].unsupported(neural)
    assert "commutative" in registry.schemes["milstein"].unsupported(neural)
    assert "noise none" in registry.schemes["rk4"].unsupported(neural)
    additive = registry.problem("neural", noise="additive", calculus="ito", dim=2)
    assert registry.schemes["heun"].unsupported(additive) is None  # additive noise has the same solution in either
