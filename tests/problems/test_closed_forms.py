"""Closed forms: they solve their equation, and their float64 gradient is right to the last digits but two."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from forms import forms, label
from loop import last
from mpmath import mp, mpf

from harness.brownian.path import SharedPath
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.registry import Registry
from harness.schemes.heun import Heun
from harness.terms import Terms

REGISTRY = Registry.load()


def closed_forms() -> list[AbstractProblem]:
    """Those with a solution."""
    return [
        p
        for p in forms(REGISTRY)
        if p.solution(np, 0.0, np.zeros((1, p.noise_dim)), *initial_values(p, 1, 0)) is not None
    ]


@pytest.mark.parametrize("problem", closed_forms(), ids=label)
def test_the_closed_form_is_where_the_solver_converges_to(problem):
    """Heun on the Stratonovich form, both calculi, at two steps 16 apart: the distance falls at order 1 or better."""
    y0, theta = initial_values(problem, 4, 1)
    path = SharedPath(3, 4, problem.noise_dim, problem.t0, problem.t1)
    W = None if problem.noise == "none" else path.total()
    exact = problem.solution(np, problem.t1, W, y0, theta)
    terms, scheme = Terms(np, problem, theta, stratonovich=True), Heun()
    errors = []
    for steps in (256, 4096):
        dWs = None if problem.noise == "none" else path.increments(steps)[0]
        y1 = last(scheme, terms, y0, dWs, steps)
        errors.append(np.abs(y1 - exact).max())
    assert errors[1] < 2e-3
    assert errors[1] < errors[0] / 8


# The closed forms once more, for one sample, in 50 digits: x and W are lists, p the parameters as nested lists.


def example1(t, W, x, p):
    return [v * mp.exp((a - b * b / 2) * t + b * w) for v, a, b, w in zip(x, p["alpha"], p["beta"], W, strict=True)]


def example2(t, W, x, p):
    return [mp.atan(c * w + mp.tan(v)) for v, c, w in zip(x, p["p"], W, strict=True)]


def example3(t, W, x, p):
    return [(v + b * t + a * b * w) / mp.sqrt(1 + t) for v, a, b, w in zip(x, p["alpha"], p["beta"], W, strict=True)]


def gbm(t, W, x, p):
    return [v * mp.exp((a - b * b / 2) * t + b * W[0]) for v, a, b in zip(x, p["alpha"], p["beta"], strict=True)]


def linear(t, W, x, p):
    return list(mp.matrix([x]) * mp.expm(mp.matrix(p["A"]) * t))


def commuting(t, W, x, p):
    """By matrices and their exponential: the basis V = I + mixing/dim · ones is inverted numerically."""
    dim, mixing = len(x), mpf(1)
    V = mp.eye(dim) + mp.ones(dim) * mixing / dim
    inverse = mp.inverse(V)
    exponent = V * mp.diag(p["a"]) * inverse * t
    for b, w in zip(p["b"], W, strict=True):
        B = V * mp.diag(b) * inverse
        exponent += B * w - B * B * (t / 2)
    return list(mp.expm(exponent) * mp.matrix(x))


def total(states):
    return sum(sum(state) for state in states) / len(states)


def squared_norm(states):
    return sum(sum(v * v for v in state) for state in states) / len(states)


FORMULAS = {
    "example1": (example1, total),
    "example2": (example2, total),
    "example3": (example3, total),
    "gbm": (gbm, squared_norm),
    "linear": (linear, squared_norm),
    "commuting": (commuting, squared_norm),
}


def test_each_closed_form_is_written_once_more_here():
    assert {p.name for p in closed_forms()} == set(FORMULAS)


def rounding() -> float:
    """A hundred units in the last place of float64: what some dozens of operations may lose."""
    return 100 * 2.0**-53


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("problem", [p for p in closed_forms() if p.calculus == "stratonovich"], ids=label)
def test_closed_gradients_meet_50_digits(problem, seed):
    """The gradient of the loss by automatic differentiation in float64, against central differences of mpmath.

    With a step of 1e-17 they err by about its square, 1e-34, and by 1e-50 / 1e-17 of rounding. The two calculi share
    the solution.
    """
    batch, t = 2, 0.8125
    y0, theta = initial_values(problem, batch, seed)
    W = SharedPath(seed, batch, problem.noise_dim).total() if problem.noise_dim else np.zeros((batch, 0))
    names = sorted(theta)

    def loss(y, parameters):
        return problem.loss(jnp, problem.solution(jnp, t, jnp.asarray(W), y, parameters)[None])

    y_bar, theta_bar = jax.grad(loss, (0, 1))(jnp.asarray(y0), jax.tree.map(jnp.asarray, theta))
    formula, of_states = FORMULAS[problem.name]

    def exactly(values):
        """The loss of the concatenation of y0 and θ."""
        rest, parts = list(values), []
        for shape in (y0.shape, *(theta[name].shape for name in names)):
            size = int(np.prod(shape))
            flat, rest = rest[:size], rest[size:]
            parts.append(flat if len(shape) == 1 else [flat[i : i + shape[1]] for i in range(0, size, shape[1])])
        parameters = dict(zip(names, parts[1:], strict=True))
        Ws = [[mpf(float(w)) for w in row] for row in W]
        return of_states([formula(mpf(t), w, x, parameters) for w, x in zip(Ws, parts[0], strict=True)])

    with mpmath.workdps(50):
        point = [mpf(float(v)) for v in np.concatenate([y0.ravel(), *(theta[name].ravel() for name in names)])]
        step = mpf(10) ** -17
        truth = []
        for i in range(len(point)):
            up, down = ([*point[:i], point[i] + sign * step, *point[i + 1 :]] for sign in (1, -1))
            truth.append(float((exactly(up) - exactly(down)) / (2 * step)))
    found = [y_bar, *(theta_bar[name] for name in names)]
    for part in found:
        expected, truth = np.reshape(truth[: part.size], part.shape), truth[part.size :]
        assert np.linalg.norm(part - expected) <= rounding() * np.linalg.norm(expected)
