"""Problems: shapes and values over every namespace, the same process in either calculus, equations written anew."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from forms import forms, label
from loop import last
from scipy.integrate import solve_ivp

from harness.brownian.path import SharedPath
from harness.case import CALCULI, NOISES
from harness.correction import drift_correction
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.registry import Registry
from harness.schemes.euler import Euler
from harness.schemes.heun import Heun
from harness.schemes.rk4 import RK4
from harness.terms import Terms

REGISTRY = Registry.load()
FORMS = forms(REGISTRY)
AS_GIVEN = ("neural", "neural-commutative")
"""Problems whose f and g are the same functions in either calculus: the two forms are different processes."""


def directional_derivatives(problem, y0, theta):
    """(∂g_k/∂y) g_j at [b, i, k, j], (batch, dim, noise_dim, noise_dim), g being a full matrix even if diagonal."""
    parameters = {name: torch.tensor(value) for name, value in theta.items()}

    def matrix(y):
        g = problem.diffusion(torch, 0.3, y[None], parameters)[0]
        return torch.diag(g) if problem.noise == "diagonal" else g

    def products(y):
        return torch.einsum("ikl,lj->ikj", torch.func.jacfwd(matrix)(y), matrix(y))

    return np.stack([products(y).numpy() for y in torch.tensor(y0)])


def in_calculus(problem: AbstractProblem, calculus: str) -> AbstractProblem:
    """The same problem in its other form."""
    return dataclasses.replace(problem, calculus=calculus)


@pytest.mark.parametrize("problem", FORMS, ids=label)
def test_shapes_and_values_over_the_three_namespaces(problem):
    y0, theta = initial_values(problem, 5, 1)
    ys = np.stack([y0, 1.5 * y0])
    assert y0.shape == (5, problem.dim)
    assert all(isinstance(value, np.ndarray) and value.dtype == np.float64 for value in (y0, *theta.values()))
    results = []
    for xp, convert in ((np, np.asarray), (torch, torch.tensor), (jnp, jnp.asarray)):
        parameters, y = {k: convert(v) for k, v in theta.items()}, convert(y0)
        g = None if problem.noise == "none" else problem.diffusion(xp, 0.25, y, parameters)
        results.append([problem.drift(xp, 0.25, y, parameters), g, problem.loss(xp, convert(ys))])
    shape = (5, problem.dim) if problem.noise == "diagonal" else (5, problem.dim, problem.noise_dim)
    assert tuple(results[0][0].shape) == (5, problem.dim)
    assert np.shape(results[0][2]) == ()
    assert problem.noise == "none" or tuple(results[0][1].shape) == shape
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            if a is not None:
                np.testing.assert_allclose(np.asarray(b), a, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("problem", FORMS, ids=label)
def test_single_precision_stays_single(problem):
    """No constant of a problem turns what a method computes into float64."""
    y0, theta = initial_values(problem, 2, 1)
    for xp, convert in (
        (torch, lambda x: torch.tensor(x, dtype=torch.float32)),
        (jnp, lambda x: jnp.asarray(x, "float32")),
    ):
        y, parameters = convert(y0), {name: convert(value) for name, value in theta.items()}
        W = None if problem.noise == "none" else convert(np.ones((2, problem.noise_dim)))
        values = [problem.drift(xp, 0.25, y, parameters), problem.loss(xp, y[None])]
        values += [] if problem.noise == "none" else [problem.diffusion(xp, 0.25, y, parameters)]
        values += [problem.correction(xp, 0.25, y, parameters), problem.solution(xp, 0.25, W, y, parameters)]
        assert {str(value.dtype).removeprefix("torch.") for value in values if value is not None} == {"float32"}


@pytest.mark.parametrize("problem", FORMS, ids=label)
def test_the_loss_is_a_mean_over_batch_and_observations(problem):
    """So that neither axis scales the gradient: repeated samples and save times change nothing."""
    y0, _ = initial_values(problem, 3, 1)
    once = problem.loss(np, y0[None])
    assert problem.loss(np, np.tile(y0, (4, 2, 1))) == pytest.approx(once, rel=1e-13)


@pytest.mark.parametrize("problem", [p for p in FORMS if p.noise != "none"], ids=label)
def test_closed_corrections_are_those_of_automatic_differentiation(problem):
    """½ Σ_j (∂g_j/∂y) g_j by the Jacobian of the whole diffusion, sample by sample."""
    y0, theta = initial_values(problem, 4, 1)
    truth = 0.5 * np.einsum("bijj->bi", directional_derivatives(problem, y0, theta))
    np.testing.assert_allclose(problem.correction(np, 0.3, y0, theta), truth, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("problem", [p for p in FORMS if p.noise in ("diagonal", "general", "scalar")], ids=label)
@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_automatic_corrections_are_the_closed_ones(problem, framework, monkeypatch):
    y0, theta = initial_values(problem, 4, 1)
    xp, convert = (torch, torch.tensor) if framework == "torch" else (jnp, jnp.asarray)
    arguments = (0.3, convert(y0), {k: convert(v) for k, v in theta.items()})
    closed = drift_correction(xp, problem, *arguments)
    monkeypatch.setattr(type(problem), "correction", AbstractProblem.correction)
    with torch.no_grad():
        found = drift_correction(xp, problem, *arguments)
    np.testing.assert_allclose(np.asarray(found), np.asarray(closed), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("problem", [p for p in FORMS if p.noise != "none"], ids=label)
def test_noise_commutes_where_it_is_said_to(problem):
    """L_j g_k = L_k g_j, with L_j g_k = (∂g_k/∂y) g_j (Kloeden & Platen 1992, section 10.3, (3.13)), and only there."""
    y0, theta = initial_values(problem, 4, 1)

    products = directional_derivatives(problem, y0, theta)
    largest = np.abs(products - products.swapaxes(2, 3)).max()
    assert (largest < 1e-13) == problem.commutative


@pytest.mark.parametrize(
    "problem", [p for p in FORMS if p.calculus == "ito" and p.name not in AS_GIVEN], ids=lambda p: f"{p.name}-{p.noise}"
)
def test_both_calculi_are_the_same_process(problem):
    """The Itô drift less the Stratonovich one is the correction, and g is the same: an identity, so to rounding."""
    y0, theta = initial_values(problem, 4, 1)
    other = in_calculus(problem, "stratonovich")
    difference = problem.drift(np, 0.3, y0, theta) - other.drift(np, 0.3, y0, theta)
    np.testing.assert_allclose(difference, problem.correction(np, 0.3, y0, theta), rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(problem.diffusion(np, 0.3, y0, theta), other.diffusion(np, 0.3, y0, theta))


@pytest.mark.parametrize(
    ("name", "noise"), [("commuting", "general"), ("kuramoto", "diagonal"), ("double-well", "scalar")]
)
def test_euler_on_the_ito_form_meets_heun_on_the_stratonovich_form(name, noise):
    """On one path, at two steps 32 apart: Euler's order ½ brings the distance down by √32 = 5.7, here at least by 3."""
    ito = REGISTRY.problem(name, noise=noise, calculus="ito", dim=3)
    y0, theta = initial_values(ito, 50, 1)
    path = SharedPath(3, 50, ito.noise_dim, ito.t0, ito.t1)
    distances = []
    for steps in (64, 2048):
        dWs = path.increments(steps)[0]
        ends = [
            last(scheme, Terms(np, problem, theta), y0, dWs, steps)
            for scheme, problem in ((Euler(), ito), (Heun(), in_calculus(ito, "stratonovich")))
        ]
        distances.append(np.sqrt(np.mean((ends[0] - ends[1]) ** 2)))
    assert distances[1] < 0.05
    assert distances[1] < distances[0] / 3


def kuramoto(x, theta):
    """The double sum, which the problem avoids."""
    K = theta["K"][0]
    return [w + K / len(x) * sum(np.sin(other - own) for other in x) for own, w in zip(x, theta["omega"], strict=True)]


def lorenz(x, theta):
    X, Y, Z = x
    sigma, rho, beta = (theta[name][0] for name in ("sigma", "rho", "beta"))
    return [sigma * (Y - X), X * (rho - Z) - Y, X * Y - beta * Z]


def double_well(x, theta):
    return [a * v - b * v**3 for v, a, b in zip(x, theta["a"], theta["b"], strict=True)]


def van_der_pol(x, theta):
    (mu, nu), (x1, v1, x2, v2) = theta["mu"], x
    return [v1, mu * (1 - x1**2) * v1 - x1, v2, nu * (1 - x2**2) * v2 - x2]


def lotka_volterra(x, theta):
    u, v, p, q = x
    (a, A), (b, B), (c, C), (d, D) = (theta[name] for name in ("alpha", "beta", "gamma", "delta"))
    return [a * u - b * u * v, d * u * v - c * v, A * p - B * p * q, D * p * q - C * q]


FIELDS = {
    "kuramoto": kuramoto,
    "lorenz": lorenz,
    "double-well": double_well,
    "van-der-pol": van_der_pol,
    "lotka-volterra": lotka_volterra,
}


@pytest.mark.parametrize("problem", [p for p in FORMS if p.noise == "none" and p.name in FIELDS], ids=label)
def test_the_odes_are_their_equations(problem):
    """rk4 against scipy's DOP853 at 1e-11 on the field written out variable by variable."""
    y0, theta = initial_values(problem, 1, 1)
    field = FIELDS[problem.name]
    truth = solve_ivp(
        lambda _, x: field(x, theta), (problem.t0, problem.t1), y0[0], method="DOP853", rtol=1e-11, atol=1e-11
    ).y[:, -1]
    found = last(RK4(), Terms(np, problem, theta), y0, None, 512)
    np.testing.assert_allclose(found[0], truth, rtol=1e-6)


def test_lotka_volterra_keeps_its_first_integral():
    problem = REGISTRY.problem("lotka-volterra", noise="none", calculus="ito", dim=4)
    y0, theta = initial_values(problem, 3, 1)

    def integral(y):
        u, v = y[:, ::2], y[:, 1::2]
        return theta["delta"] * u - theta["gamma"] * np.log(u) + theta["beta"] * v - theta["alpha"] * np.log(v)

    end = last(RK4(), Terms(np, problem, theta), y0, None, 512)
    assert np.abs(end - y0).max() > 1
    np.testing.assert_allclose(integral(end), integral(y0), rtol=1e-8)


def test_copies_of_a_system_are_independent():
    """Six variables of Lorenz are two systems of three: the Jacobian of the drift is zero between them."""
    problem = REGISTRY.problem("lorenz", noise="none", calculus="ito", dim=6)
    y0, theta = initial_values(problem, 1, 1)
    jacobian = jax.jacobian(lambda y: problem.drift(jnp, 0.0, y[None], theta)[0])(jnp.asarray(y0[0]))
    assert np.abs(np.asarray(jacobian)).sum(1).min() > 0
    np.testing.assert_array_equal(jacobian[:3, 3:], 0)
    np.testing.assert_array_equal(jacobian[3:, :3], 0)


def test_a_stiff_oscillator_needs_small_steps():
    """At mu = 100 Heun's scheme is unstable with 128 steps and stable with 512: 3 μ lies between them."""
    problem = REGISTRY.problem("van-der-pol(mu=100)", noise="none", calculus="ito", dim=2)
    y0, theta = initial_values(problem, 3, 1)
    assert theta["mu"] == pytest.approx([100.0])
    with np.errstate(all="ignore"):
        ends = [last(Heun(), Terms(np, problem, theta), y0, None, steps) for steps in (128, 512)]
    assert not (np.abs(ends[0]) < 10).all()
    assert (np.abs(ends[1]) < 3).all()


def test_mean_reversion_has_the_stationary_moments():
    """X(t) is normal with mean μ + (x − μ) e^(−κt) and variance σ² (1 − e^(−2κt)) / 2κ; 2^15 samples, 5 deviations."""
    problem = REGISTRY.problem("ornstein-uhlenbeck(rate=4.0)", noise="diagonal", calculus="ito", dim=1)
    batch = 2**15
    _, theta = initial_values(problem, 1, 1)
    kappa, mu, sigma = (theta[name][0] for name in ("kappa", "mu", "sigma"))
    end = last(
        Heun(),
        Terms(np, problem, theta),
        np.ones((batch, 1)),
        SharedPath(3, batch, 1).increments(64)[0],
        64,
    )[:, 0]
    mean, variance = mu + (1 - mu) * np.exp(-kappa), sigma**2 * (1 - np.exp(-2 * kappa)) / (2 * kappa)
    assert end.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / batch))
    # The scheme's own bias is O(dt²): (κ dt)² = 4e-3 of the variance at most.
    assert end.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / batch) + 4e-3)


@pytest.mark.parametrize("cls", REGISTRY.problems.values(), ids=lambda cls: cls.name)
def test_every_form_is_there_or_refused_with_a_reason(cls):
    for noise in NOISES:
        for calculus in CALCULI:
            reason = cls.unsupported(noise, calculus)
            if reason is None:
                continue
            assert cls.name in reason
            assert noise in reason
            with pytest.raises(ValueError, match=cls.name):
                cls(noise=noise, calculus=calculus, dim=12)


@pytest.mark.parametrize("cls", REGISTRY.problems.values(), ids=lambda cls: cls.name)
def test_every_problem_has_a_form_and_each_in_both_calculi(cls):
    ito, stratonovich = ([n for n in NOISES if cls.unsupported(n, calculus) is None] for calculus in CALCULI)
    assert ito
    assert ito == stratonovich


@pytest.mark.parametrize(
    ("spec", "noise", "dim", "reason"),
    [
        ("lorenz", "none", 4, "multiple of 3, given 4"),
        ("lotka-volterra", "none", 3, "multiple of 2, given 3"),
        ("van-der-pol", "none", 1, "multiple of 2, given 1"),
        ("commuting(channels=0)", "general", 2, "channels of at least 1"),
        ("commuting(mixing=-1.0)", "general", 2, "mixing above -1"),
        ("neural(width=0)", "diagonal", 2, "at least 1"),
        ("neural-commutative(channel_width=0)", "diagonal", 2, "at least 1"),
        ("neural", "rough", 2, "not known"),
        ("neural", "diagonal", 0, "at least 1"),
    ],
)
def test_bad_parameters_are_refused(spec, noise, dim, reason):
    with pytest.raises(ValueError, match=reason):
        REGISTRY.problem(spec, noise=noise, calculus="ito", dim=dim)


def test_an_unknown_calculus_is_refused():
    with pytest.raises(ValueError, match="not known"):
        REGISTRY.problem("neural", noise="diagonal", calculus="backward", dim=2)


@pytest.mark.parametrize(
    ("spec", "noise", "name", "value"),
    [
        ("kuramoto(coupling=5.0)", "none", "K", 5.0),
        ("lorenz(rho=14)", "none", "rho", 14.0),
        ("lorenz(volatility=0.3)", "diagonal", "alpha", 0.3),
        ("van-der-pol(mu=50)", "none", "mu", 50.0),
    ],
)
def test_a_suite_sets_where_a_parameter_starts(spec, noise, name, value):
    problem = REGISTRY.problem(spec, noise=noise, calculus="ito", dim=6)
    assert set(initial_values(problem, 1, 1)[1][name]) == {value}
