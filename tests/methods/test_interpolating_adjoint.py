"""The adjoint on the stored path: its bias falls with the step, and it bears a stiff equation."""

from __future__ import annotations

import numpy as np
import pytest
from gradients import distance, gradient
from tolerances import agreement_tolerance

from harness.measuring.statistics import log_slope
from harness.methods._interpolate import state_on_path


@pytest.mark.parametrize("c", [0.0, 0.25, 0.5, 1.0])
def test_the_interpolation_is_exact_for_cubics(c):
    h, t0 = 0.5, 1.0
    cubic, slope = np.polynomial.Polynomial([1.0, -2.0, 0.5, 3.0]), np.polynomial.Polynomial([-2.0, 1.0, 9.0])
    y0, y1, k0, k1 = np.array([[cubic(t0)], [cubic(t0 + h)], [h * slope(t0)], [h * slope(t0 + h)]])
    found = state_on_path(c, y0, y1, k0, [k1])
    assert found[0] == pytest.approx(cubic(t0 + h - c * h), rel=1e-14)


@pytest.mark.parametrize(
    ("problem", "noise", "calculus", "scheme", "order"),
    [
        ("neural", "none", "stratonovich", "euler", 1),
        ("neural", "none", "stratonovich", "ralston", 2),
        ("neural", "none", "stratonovich", "reversible-heun", 2),
        ("neural", "none", "stratonovich", "rk4-38", 4),
        ("neural", "none", "stratonovich", "dopri5", 4),
        ("neural", "additive", "ito", "euler", 1),
        ("neural", "additive", "stratonovich", "heun", 1),
        ("neural", "scalar", "ito", "srk", 1),
        ("neural", "scalar", "stratonovich", "midpoint", 1),
        ("example2", "diagonal", "ito", "milstein", 1),
        ("example2", "diagonal", "ito", "euler", 0.5),
        ("neural", "diagonal", "stratonovich", "heun", 0.5),
        ("neural", "general", "ito", "euler", 0.5),
        ("neural", "general", "stratonovich", "reversible-heun", 0.5),
    ],
)
def test_the_bias_falls_with_the_step(registry, make_case, problem, noise, calculus, scheme, order):
    steps, errors = ([4, 8, 16] if noise == "none" else [8, 32, 128]), []
    axes = {"problem": problem, "noise": noise, "calculus": calculus, "scheme": scheme, "batch": 256, "observations": 2}
    for n in steps:
        exact = gradient(registry, make_case(method="torch/backprop", steps=n, **axes))
        found = gradient(registry, make_case(method="torch/interpolating-adjoint", steps=n, **axes))
        assert found.loss == pytest.approx(exact.loss, rel=agreement_tolerance())
        errors.append(distance(found, exact))
    # Few steps of an ODE, 256 paths of an SDE: within 0.35 of the order, from above it may be better.
    assert log_slope(steps, errors) <= 0.35 - order


@pytest.mark.parametrize(
    ("noise", "calculus", "scheme", "observations"),
    [
        ("none", "stratonovich", "rk4", 4),
        ("none", "stratonovich", "reversible-heun", 1),
        ("scalar", "ito", "srk", 4),
        ("general", "stratonovich", "midpoint", 1),
    ],
)
def test_both_backends_are_the_same(registry, make_case, noise, calculus, scheme, observations):
    axes = {"noise": noise, "calculus": calculus, "scheme": scheme, "observations": observations}
    a, b = (
        gradient(registry, make_case(method=f"{backend}/interpolating-adjoint", **axes)) for backend in ("torch", "jax")
    )
    assert distance(a, b) <= agreement_tolerance()


@pytest.mark.parametrize("observations", [1, 4])
def test_a_stiff_equation_which_the_backsolve_does_not_bear(registry, make_case, observations):
    """Van der Pol's with μ = 30, well within rk4's stability: backwards the fast direction grows like exp(90 t)."""
    axes = {"problem": "van-der-pol(mu=30.0)", "noise": "none", "scheme": "rk4", "steps": 256, "dim": 2}
    exact = gradient(registry, make_case(method="torch/backprop", observations=observations, **axes))
    solved = gradient(registry, make_case(method="torch/adjoint", observations=observations, **axes))
    stored = gradient(registry, make_case(method="torch/interpolating-adjoint", observations=observations, **axes))
    assert not solved.finite()
    assert distance(stored, exact) <= 1e-3  # h μ is about a quarter: 1e-4 is measured


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_own_noise_in_single_precision(registry, make_case, backend):
    """Close to the exact gradient: 64 steps leave a bias of some tenths of a percent."""
    axes = {"steps": 64, "dtype": "float32", "brownian": "own"}
    expected = gradient(registry, make_case(method=f"{backend}/checkpoint", **axes))
    found = gradient(registry, make_case(method=f"{backend}/interpolating-adjoint", **axes))
    assert distance(found, expected) <= 0.02
