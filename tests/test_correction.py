"""The drift correction over a step, by a difference of g, against the exact one by automatic differentiation."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from harness.correction import correction_over, drift_correction
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.registry import Registry

REGISTRY = Registry.load()
BATCH, DIM, T = 4, 3, 0.3
FORMS = [
    ("neural", "scalar"),
    ("neural", "diagonal"),
    ("neural", "general"),
    ("neural-commutative", "diagonal"),
    ("commuting", "general"),
]


@pytest.fixture
def posed(request, monkeypatch):
    """An Itô problem without a closed form of its correction; y and θ in PyTorch."""
    name, noise = request.param
    problem = REGISTRY.problem(name, noise=noise, calculus="ito", dim=DIM)
    monkeypatch.setattr(type(problem), "correction", AbstractProblem.correction)
    y0, theta = initial_values(problem, BATCH, 5)
    return problem, torch.tensor(y0), {key: torch.tensor(value) for key, value in theta.items()}


def over(problem, y, theta, dt, dW):
    g = problem.diffusion(torch, T, y, theta)
    return correction_over(torch, problem, T, y, theta, g=g, dt=dt, dW=dW)


@pytest.mark.parametrize("posed", FORMS, indirect=True)
def test_it_is_the_correction_times_dt(posed):
    """Up to O(dt²). Where signs are drawn, the mean over all of them has no terms of two columns left."""
    problem, y, theta = posed
    with torch.no_grad():
        exact = drift_correction(torch, problem, T, y, theta)
    signs = list(itertools.product((-1.0, 1.0), repeat=problem.noise_dim))
    errors = []
    for dt in (1e-3, 1e-4):
        found = sum(over(problem, y, theta, dt, torch.tensor([s] * BATCH, dtype=y.dtype)) for s in signs)
        errors.append(float((found / len(signs) / dt - exact).norm() / exact.norm()))
    assert errors[0] < 0.01
    assert errors[1] < max(0.11 * errors[0], 1e-10)  # a tenth; `commuting` is linear, and exact up to rounding


@pytest.mark.parametrize("posed", FORMS, indirect=True)
def test_only_the_signs_of_the_increments_matter(posed):
    problem, y, theta = posed
    dW = torch.randn(BATCH, problem.noise_dim, dtype=y.dtype, generator=torch.Generator().manual_seed(0))
    assert torch.equal(over(problem, y, theta, 1e-3, dW), over(problem, y, theta, 1e-3, 7 * dW))


@pytest.mark.parametrize("posed", FORMS, indirect=True)
def test_frameworks_agree(posed):
    problem, y, theta = posed
    dW = torch.randn(BATCH, problem.noise_dim, dtype=y.dtype, generator=torch.Generator().manual_seed(0))
    expected = over(problem, y, theta, 1e-2, dW).numpy()
    for xp in (np, jnp):
        state, parameters, increment = xp.asarray(y), {k: xp.asarray(v) for k, v in theta.items()}, xp.asarray(dW)
        g = problem.diffusion(xp, T, state, parameters)
        found = correction_over(xp, problem, T, state, parameters, g=g, dt=1e-2, dW=increment)
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12, atol=1e-16)


def test_a_closed_form_comes_first():
    problem = REGISTRY.problem("neural", noise="general", calculus="ito", dim=DIM)
    y0, theta = initial_values(problem, BATCH, 5)
    dW = np.ones((BATCH, problem.noise_dim))
    g = problem.diffusion(np, T, y0, theta)
    found, closed = correction_over(np, problem, T, y0, theta, g=g, dt=0.5, dW=dW), problem.correction(np, T, y0, theta)
    assert closed is not None
    np.testing.assert_array_equal(found, 0.5 * closed)
