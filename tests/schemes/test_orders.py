"""Schemes converge at their orders, on problems with a closed form or the ODE."""

from __future__ import annotations

import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from harness.brownian.path import SharedPath
from harness.initial import initial_values
from harness.measuring.statistics import log_slope
from harness.registry import Registry
from harness.terms import Terms


def solve(scheme, problem, theta, y0, path, steps):
    """The state at t = 1 of every path, (batch, dim)."""
    noise = None
    if problem.noise != "none":
        W, H = (np.pad(x, ((0, -steps % 256), (0, 0), (0, 0))) for x in path.increments(steps))
        noise = (W, H) if scheme.needs_levy_area else W
    return np.asarray(_solved(scheme, problem, theta, y0, noise, steps))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _solved(scheme, problem, theta, y0, noise, steps):
    """One program for several numbers of steps: the noise is longer."""
    terms, dt = Terms(jnp, problem, theta), 1 / steps

    def step(n, state):
        return scheme.step(terms, n * dt, dt, state, jax.tree.map(lambda x: x[n], noise))

    return jax.lax.fori_loop(0, steps, step, scheme.init(terms, 0.0, y0))[0]


REGISTRY = Registry.load()


def declared(registry: Registry) -> list[tuple[str, str, str, str, float]]:
    """(scheme, problem, noise, calculus, order): each scheme's own orders for an ODE and for noise that commutes.

    Kidger et al. prove 1/2 of reversible Heun in general; the noise commutes here.
    """
    found = []
    for name, scheme in registry.schemes.items():
        for order, problem, noise in (
            (scheme.orders.none, "linear", "none"),
            (scheme.orders.commutative, "example1", "diagonal"),
        ):
            if order is not None:
                found.append((name, problem, noise, scheme.calculi[0], float(order)))
    return found


@pytest.mark.parametrize(
    ("scheme", "problem", "noise", "calculus", "order"),
    [
        *declared(REGISTRY),
        ("euler", "example3", "additive", "ito", 1.0),
        ("milstein", "example2", "diagonal", "stratonovich", 1.0),
        ("milstein", "gbm", "scalar", "ito", 1.0),
        ("milstein", "gbm", "scalar", "stratonovich", 1.0),
        ("milstein", "commuting", "general", "ito", 1.0),
        ("milstein", "commuting", "general", "stratonovich", 1.0),
        ("ralston", "gbm", "scalar", "stratonovich", 1.0),
        ("ralston", "commuting", "general", "stratonovich", 1.0),
        ("euler-heun", "example2", "diagonal", "stratonovich", 1.0),
        ("euler-heun", "gbm", "scalar", "stratonovich", 1.0),
        ("euler-heun", "commuting", "general", "stratonovich", 1.0),
        ("srk", "example2", "diagonal", "ito", 1.5),
        ("srk", "gbm", "scalar", "ito", 1.5),
        # At volatility 1 the Stratonovich drift of these parameters is nearly 0, and so is the term of order 1½.
        ("slowrk", "gbm(volatility=0.5)", "scalar", "stratonovich", 1.5),
        ("slowrk", "commuting", "general", "stratonovich", 1.5),
        # Not 1½: without a drift it is the classical scheme in W, whose error after N steps of size dW is of order 2.
        ("slowrk", "example2", "diagonal", "stratonovich", 2.0),
        # Not 1, the order for additive noise: in the solution ∫W dt cancels, and with it the error's leading term.
        ("reversible-heun", "example3", "additive", "stratonovich", 2.0),
    ],
)
def test_strong_order(registry, scheme, problem, noise, calculus, order):
    """The root mean square error at several steps over 200 paths, within 0.25 of the order.

    Over 1000 paths where the dimensions share one Brownian motion, which leaves fewer independent errors to average.
    """
    paths = 1000 if noise == "scalar" else 200
    it = registry.problem(problem, noise=noise, calculus=calculus, dim=2)
    stepper = registry.schemes[scheme]
    assert stepper.unsupported(it) is None
    y0, theta = initial_values(it, paths, 1)
    path = SharedPath(3, paths, it.noise_dim)
    exact = it.solution(np, 1.0, None if noise == "none" else path.total(), y0, theta)
    steps = [8, 16, 32] if order > 4 else [16, 32, 64, 128, 256]  # rounding stops a high order early
    errors = [_rms(solve(stepper, it, theta, y0, path, n) - exact) for n in steps]
    assert log_slope(steps, errors) == pytest.approx(-order, abs=0.25)


@functools.cache
def fine_solution(scheme, problem, paths, steps):
    """The state at t = 1 on a fine grid of the shared path."""
    y0, theta = initial_values(problem, paths, 1)
    return solve(scheme, problem, theta, y0, SharedPath(3, paths, problem.noise_dim), steps)


@pytest.mark.parametrize(
    ("scheme", "problem", "calculus", "order"),
    [
        ("euler", "double-well", "ito", 1.0),
        ("milstein", "double-well", "ito", 1.0),
        ("euler-heun", "double-well", "stratonovich", 1.0),
        ("ralston", "double-well", "stratonovich", 1.0),
        ("srk", "double-well", "ito", 1.5),
        ("slowrk", "double-well", "stratonovich", 1.5),
        # Not 1½: with a linear drift the integrals that are left out are of mean zero and of size dt^2½.
        ("srk", "ornstein-uhlenbeck", "stratonovich", 2.0),
        ("slowrk", "ornstein-uhlenbeck", "ito", 2.0),
    ],
)
def test_strong_order_where_the_whole_path_matters(registry, scheme, problem, calculus, order):
    """Additive noise with a solution that reads ∫W ds, which only a scheme with H follows to an order above 1.

    Measured against 2^12 steps of SlowRK on the same path, and that against as many of a scheme that reads W alone.
    """
    it = registry.problem(problem, noise="additive", calculus=calculus, dim=2)
    stepper = registry.schemes[scheme]
    assert stepper.unsupported(it) is None
    y0, theta = initial_values(it, 200, 1)
    path = SharedPath(3, 200, it.noise_dim)
    fixed = replace(it, calculus="stratonovich")  # the same solution
    fine = fine_solution(registry.schemes["slowrk"], fixed, 200, 2**12)
    other, coarser = (fine_solution(registry.schemes["heun"], fixed, 200, n) for n in (2**12, 2**10))
    assert _rms(other - fine) < 0.5 * _rms(coarser - fine) < 1e-3  # of order 1, it comes nearer by a factor of 4
    steps = [16, 32, 64, 128]
    errors = [_rms(solve(stepper, it, theta, y0, path, n) - fine) for n in steps]
    assert log_slope(steps, errors) == pytest.approx(-order, abs=0.25)


def _rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error**2)))


@pytest.mark.parametrize("scheme", ["heun", "ralston", "dopri5"])
def test_embedded_weights_are_of_one_order_less(registry, scheme):
    """b − b_error meets the order conditions by trees (Hairer, Nørsett & Wanner 1993, section II.2) but for the last.

    Those of one branch are enough: Σ b_i c_i^(q−1) = 1/q up to the embedded order, and not beyond.
    """
    it = registry.schemes[scheme]
    order = {"heun": 1, "ralston": 1, "dopri5": 4}[scheme]
    fsal = len(it.b_error) - len(it.b)
    b = np.array([*it.b, *[0.0] * fsal]) - np.array(it.b_error)
    c = np.array([*it.c, *[1.0] * fsal])
    for q in range(1, order + 1):
        assert b @ c ** (q - 1) == pytest.approx(1 / q, abs=1e-14)
    assert abs(b @ c**order - 1 / (order + 1)) > 1e-4
    assert sum(it.b_error) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("name", ["srk", "slowrk", "euler-heun", "heun", "rk4"])
@pytest.mark.parametrize("noise", ["additive", "scalar"])
def test_evaluations_are_counted(registry, name, noise, monkeypatch):
    """`work` says how often a step calls f and g."""
    counts = {"drift": 0, "diffusion": 0}
    scheme = registry.schemes[name]
    noise = "none" if name == "rk4" else noise
    it = registry.problem("neural", noise=noise, calculus=scheme.calculi[0], dim=2)

    def counted(function: str) -> None:
        original = getattr(type(it), function)

        def call(self: object, *arguments: object) -> object:
            counts[function] += 1
            return original(self, *arguments)

        monkeypatch.setattr(type(it), function, call)

    counted("drift")
    counted("diffusion")
    y0, theta = initial_values(it, 3, 1)
    dW = None if noise == "none" else np.full((3, it.noise_dim), 0.1)
    scheme.step(Terms(np, it, theta), 0.0, 0.1, (y0,), (dW, dW) if scheme.needs_levy_area else dW)
    drift, diffusion = scheme.work(noise)
    assert (counts["drift"], counts["diffusion"]) == (drift, 0 if noise == "none" else diffusion)


@pytest.mark.parametrize("noise", ["scalar", "diagonal", "general"])
def test_milstein_second_order_term(registry, noise):
    """½ Σ_jk (∂g_j/∂y) g_k (dW_j dW_k − δ_jk dt) written out column by column, its derivatives by differences."""
    name = {"scalar": "gbm", "diagonal": "example2", "general": "commuting"}[noise]
    it = registry.problem(name, noise=noise, calculus="ito", dim=3)
    y0, theta = initial_values(it, 2, 1)
    dW, dt, eps = SharedPath(3, 2, it.noise_dim).increments(8)[0][0], 1 / 8, 1e-6

    def columns(y):
        g = it.diffusion(np, 0.0, y, theta)
        return g[:, :, None] * np.eye(3) if noise == "diagonal" else g

    g = columns(y0)
    expected = y0 + dt * it.drift(np, 0.0, y0, theta) + np.einsum("bij,bj->bi", g, dW)
    for k in range(it.noise_dim):
        slope = (columns(y0 + eps * g[:, :, k]) - columns(y0 - eps * g[:, :, k])) / (2 * eps)
        weights = dW * dW[:, k : k + 1] - dt * (np.arange(it.noise_dim) == k)
        expected = expected + 0.5 * np.einsum("bij,bj->bi", slope, weights)
    terms = Terms(jnp, it, jax.tree.map(jnp.asarray, theta))
    found = registry.schemes["milstein"].step(terms, 0.0, dt, (jnp.asarray(y0),), jnp.asarray(dW))[0]
    np.testing.assert_allclose(found, expected, atol=1e-9)  # what a central difference leaves


def test_refusals(registry):
    neural = registry.problem("neural", noise="diagonal", calculus="ito", dim=2)
    assert "stratonovich" in registry.schemes["heun"].unsupported(neural)
    assert "commutative" in registry.schemes["milstein"].unsupported(neural)
    assert "commutative" in registry.schemes["slowrk"].unsupported(replace(neural, calculus="stratonovich"))
    assert "noise none" in registry.schemes["rk4"].unsupported(neural)
    assert "not general" in registry.schemes["srk"].unsupported(replace(neural, noise="general"))
    additive = registry.problem("neural", noise="additive", calculus="ito", dim=2)
    assert registry.schemes["heun"].unsupported(additive) is None  # additive noise has the same solution in either
