"""Problems: shapes over every namespace, closed forms, and the same process in either calculus."""

from __future__ import annotations

import functools
import itertools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import torch

from harness.brownian.path import SharedPath
from harness.case import CALCULI, NOISES
from harness.correction import drift_correction
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.registry import Registry
from harness.schemes.heun import Heun
from harness.terms import Terms

REGISTRY = Registry.load()


def forms() -> list[AbstractProblem]:
    """Every problem in every form that it has."""
    found = []
    for cls, noise, calculus in itertools.product(REGISTRY.problems.values(), NOISES, CALCULI):
        if cls.unsupported(noise, calculus) is None and not (noise == "none" and calculus == "ito"):
            found.append(cls(noise=noise, calculus=calculus, dim=3))
    return found


def name(problem: AbstractProblem) -> str:
    """For the ids of tests."""
    return f"{problem.name}-{problem.noise}-{problem.calculus}"


@pytest.mark.parametrize("problem", forms(), ids=name)
def test_shapes_and_values_over_the_three_namespaces(problem):
    y0, theta = initial_values(problem, 5, 1)
    assert y0.shape == (5, 3)
    results = []
    for xp, convert in ((np, np.asarray), (torch, torch.tensor), (jnp, jnp.asarray)):
        terms = Terms(xp, problem, {k: convert(v) for k, v in theta.items()})
        y = convert(y0)
        results.append([terms.f(0.25, y), terms.g(0.25, y), problem.loss(xp, y[None])])
    shape = (5, 3) if problem.noise == "diagonal" else (5, 3, problem.noise_dim)
    assert tuple(results[0][0].shape) == (5, 3)
    assert problem.noise == "none" or tuple(results[0][1].shape) == shape
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            if a is not None:
                np.testing.assert_allclose(np.asarray(b), a, rtol=1e-13)


@pytest.mark.parametrize("problem", [p for p in forms() if p.noise not in ("none", "additive")], ids=name)
def test_closed_corrections_are_those_of_automatic_differentiation(problem):
    """½ Σ_j (∂g_j/∂y) g_j by the Jacobian of the whole diffusion, sample by sample."""
    y0, theta = initial_values(problem, 4, 1)

    def matrix(y):
        g = problem.diffusion(jnp, 0.3, y[None], theta)[0]
        return jnp.diag(g) if problem.noise == "diagonal" else g

    def expected(y):
        return 0.5 * jnp.einsum("ijk,kj->i", jax.jacobian(matrix)(y), matrix(y))

    truth = jax.vmap(expected)(jnp.asarray(y0))
    np.testing.assert_allclose(
        drift_correction(jnp, problem, 0.3, jnp.asarray(y0), theta), truth, rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("problem", [p for p in forms() if p.noise in ("diagonal", "general", "scalar")], ids=name)
@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_automatic_corrections_are_the_closed_ones(problem, framework, monkeypatch):
    y0, theta = initial_values(problem, 4, 1)
    xp, convert = (torch, torch.tensor) if framework == "torch" else (jnp, jnp.asarray)
    arguments = (0.3, convert(y0), {k: convert(v) for k, v in theta.items()})
    closed = drift_correction(xp, problem, *arguments)
    monkeypatch.setattr(type(problem), "correction", AbstractProblem.correction)
    found = drift_correction(xp, problem, *arguments)
    np.testing.assert_allclose(np.asarray(found), np.asarray(closed), rtol=1e-12, atol=1e-14)


def closed_forms() -> list[AbstractProblem]:
    """Those with a solution."""
    return [p for p in forms() if p.solution(np, 0.0, np.zeros((1, 3)), *initial_values(p, 1, 0)) is not None]


def test_the_papers_examples_have_closed_forms():
    assert {p.name for p in closed_forms()} == {"example1", "example2", "example3", "linear"}


@pytest.mark.parametrize("problem", closed_forms(), ids=name)
def test_the_closed_form_is_where_the_solver_converges_to(problem):
    """Heun on the Stratonovich form, both calculi, at two steps: the distance falls at order 1 or better."""
    y0, theta = initial_values(problem, 4, 1)
    path = SharedPath(3, 4, problem.noise_dim)
    W = None if problem.noise == "none" else path.total()
    exact = problem.solution(np, 1.0, W, y0, theta)
    y0, theta = jnp.asarray(y0), jax.tree.map(jnp.asarray, theta)
    terms, scheme = Terms(jnp, problem, theta, stratonovich=True), Heun()

    @functools.partial(jax.jit, static_argnums=1)
    def solve(dWs, steps):
        def step(state, inputs):
            n, dW = inputs
            return scheme.step(terms, n / steps, 1 / steps, state, dW), None

        return jax.lax.scan(step, (y0,), (jnp.arange(steps), dWs))[0][0]

    errors = []
    for steps in (256, 4096):
        dWs = None if problem.noise == "none" else jnp.asarray(path.increments(steps)[0])
        errors.append(np.abs(np.asarray(solve(dWs, steps)) - exact).max())
    assert errors[1] < 2e-3
    assert errors[1] < errors[0] / 8


@pytest.mark.parametrize("problem", [p for p in closed_forms() if p.noise == "diagonal"], ids=name)
def test_closed_gradients_meet_50_digits(problem):
    """dX/dparameter by automatic differentiation in float64, against mpmath's derivative of the formula."""
    mpmath.mp.dps = 50
    W, t = 0.37, 0.8
    formulas = {
        "example1": lambda x, a, b: x * mpmath.exp((a - b * b / 2) * t + b * W),
        "example2": lambda x, p: mpmath.atan(p * W + mpmath.tan(x)),
        "example3": lambda x, a, b: (x + b * t + a * b * W) / mpmath.sqrt(1 + t),
    }
    y0, theta = initial_values(problem, 1, 1)
    names = list(theta)

    def solution(y, values):
        parameters = dict(zip(names, values, strict=True))
        return problem.solution(jnp, t, W, y, parameters)[0, 0]

    y_bar, bars = jax.grad(solution, (0, 1))(jnp.asarray(y0), [jnp.asarray(theta[n]) for n in names])
    point = [mpmath.mpf(float(v)) for v in (y0[0, 0], *(theta[n][0] for n in names))]
    formula = formulas[problem.name]
    for index, found in enumerate([y_bar[0, 0], *(b[0] for b in bars)]):
        order = tuple(int(i == index) for i in range(len(point)))
        truth = mpmath.diff(formula, tuple(point), order)
        assert float(found) == pytest.approx(float(truth), rel=1e-13)


@pytest.mark.parametrize("arguments", [{"noise": "rough"}, {"calculus": "backward"}, {"dim": 0}, {"width": 0}])
def test_bad_parameters_are_refused(registry, arguments):
    good = {"noise": "diagonal", "calculus": "ito", "dim": 2}
    with pytest.raises(ValueError, match=r"known|at least 1"):
        registry.problems["neural"](**{**good, **arguments})
