"""g dW and its cotangent for every form of every problem, against the diffusion written out row by row."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from forms import forms, label

from harness.initial import initial_values
from harness.registry import Registry
from harness.terms import Terms

BATCH = 5
NOISY = [problem for problem in forms(Registry.load()) if problem.noise != "none"]
NAMESPACES = [(np, np.asarray), (torch, torch.tensor), (jnp, jnp.asarray)]


def matrices(problem, y0, theta):
    """The diffusion as full matrices, (batch, dim, noise_dim)."""
    g = problem.diffusion(np, 0.25, y0, theta)
    return np.stack([np.diag(row) for row in g]) if problem.noise == "diagonal" else np.asarray(g)


@pytest.mark.parametrize("problem", NOISY, ids=label)
def test_the_product_with_noise(problem):
    y0, theta = initial_values(problem, BATCH, 1)
    dW = np.random.default_rng(0).normal(size=(BATCH, problem.noise_dim))
    expected = np.einsum("bij,bj->bi", matrices(problem, y0, theta), dW)
    for xp, convert in NAMESPACES:
        terms = Terms(xp, problem, {k: convert(v) for k, v in theta.items()})
        g = terms.g(0.25, convert(y0))
        assert g is not None
        found = terms.noise_product(g, convert(dW))
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("problem", NOISY, ids=label)
def test_the_cotangent_of_g_is_autograd_s(problem):
    y0, theta = initial_values(problem, BATCH, 1)
    generator = np.random.default_rng(0)
    dW, bar = (torch.tensor(generator.normal(size=(BATCH, n))) for n in (problem.noise_dim, problem.dim))
    terms = Terms(torch, problem, {k: torch.tensor(v) for k, v in theta.items()})
    value = terms.g(0.25, torch.tensor(y0))
    assert value is not None
    g = value.detach().requires_grad_()
    (expected,) = torch.autograd.grad(terms.noise_product(g, dW), g, bar)
    torch.testing.assert_close(terms.noise_cotangent(bar, dW), expected, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(terms.noise_cotangent(bar, dW, 0.5, g), g + 0.5 * expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("problem", [p for p in NOISY if p.noise == "additive"], ids=label)
def test_additive_noise_has_one_matrix_for_all_rows(problem):
    """What lets `Terms.g` evaluate it for the first row alone."""
    y0, theta = initial_values(problem, BATCH, 1)
    rows = matrices(problem, y0, theta)
    assert (rows == rows[0]).all()
    one = Terms(np, problem, theta).g(0.25, y0)
    assert one is not None
    assert one.shape == (problem.dim, problem.noise_dim)
    np.testing.assert_array_equal(one, rows[0])
