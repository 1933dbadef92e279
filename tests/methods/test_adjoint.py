"""The continuous adjoint with every scheme: its bias falls at the order of the two solves."""

from __future__ import annotations

import pytest
from gradients import distance, gradient, problem_of
from tolerances import agreement_tolerance

from harness.measuring.statistics import log_slope
from harness.methods._backward import backward_scheme
from harness.problem import AbstractProblem
from harness.problems.neural import Neural
from harness.registry import Registry
from harness.scheme import AbstractScheme
from harness.schemes._runge_kutta import AbstractRungeKutta

REGISTRY = Registry.load()


def rounding() -> float:
    """Where a bias of high order is lost in float64's rounding over a few dozen steps."""
    return 1e-13


def settings(registry: Registry) -> list[tuple[str, str, str, str]]:
    """(problem, noise, calculus, scheme): each scheme with an ODE, and with the most general noise that it solves."""
    found = []
    for name, scheme in registry.schemes.items():
        for choices in (
            [("neural", "none", "stratonovich")],
            [
                (problem, noise, calculus)
                for problem, noise in (("neural", "general"), ("example2", "diagonal"), ("neural", "additive"))
                for calculus in ("ito", "stratonovich")
            ],
        ):
            for problem, noise, calculus in choices:
                if scheme.unsupported(registry.problem(problem, noise=noise, calculus=calculus, dim=3)) is None:
                    found.append((problem, noise, calculus, name))
                    break
    return found


@pytest.mark.parametrize(("problem", "noise", "calculus", "scheme"), settings(REGISTRY))
def test_the_bias_falls_at_the_order_of_the_scheme(registry, make_case, problem, noise, calculus, scheme):
    ode = noise == "none"
    steps, errors = ([2, 4, 8, 16] if ode else [4, 16, 64]), []
    axes = {"problem": problem, "noise": noise, "calculus": calculus, "scheme": scheme, "batch": 256, "observations": 2}
    for n in steps:
        exact = gradient(registry, make_case(method="torch/backprop", steps=n, **axes))
        errors.append(distance(gradient(registry, make_case(method="torch/adjoint", steps=n, **axes)), exact))
    equation = problem_of(registry, make_case(**axes))
    backward = backward_scheme(registry.schemes[scheme], equation)
    orders = [registry.schemes[scheme].order(equation), backward.order(equation)]
    # g's parameters make the adjoint's noise one that isn't additive: order 1 at most. Unknown orders count as ½.
    order = min(*(0.5 if x is None else x for x in orders), *(() if ode else (1.0,)))
    # Few steps of an ODE, 256 paths of an SDE: within 0.35 of the order, from above it may be better.
    assert errors[-1] <= rounding() or log_slope(steps, errors) <= 0.35 - order


COMMUTING = (("commuting", "general"), ("neural-commutative", "diagonal"), ("neural", "additive"))


def commuting_settings(registry: Registry) -> list[tuple[str, str, str]]:
    """(problem, noise, scheme): each scheme of an SDE with noise that commutes, where order 1 needs no Lévy area."""
    return [
        (problem, noise, name)
        for name, scheme in registry.schemes.items()
        for problem, noise in COMMUTING
        if scheme.unsupported(registry.problem(problem, noise=noise, calculus="stratonovich", dim=3)) is None
    ]


def symplectic_to_third_order(scheme: AbstractScheme) -> bool:
    """Whether Σ b_i a_ij c_j + Σ b_i c_i² = ½: b_i a_ij + b_j a_ji = b_i b_j, summed with c_j as weights.

    It is the condition of symplecticity on the pair of trees of one node and of two (Hairer, Lubich & Wanner 2006,
    section VI.7), where Σ b_i c_i = ½. Heun's scheme meets it, and so does every scheme of order 3.
    """
    if not isinstance(scheme, AbstractRungeKutta):
        return False
    rows = [sum(a * c for a, c in zip(row, scheme.c, strict=False)) for row in scheme.a]
    total = sum(b * (row + c * c) for b, row, c in zip(scheme.b, rows, scheme.c, strict=True))
    return abs(total - 0.5) < 1e-14


def bias_order(noise: str, scheme: str) -> int:
    """1, where the backward tableau doesn't do better.

    EES(2,7) meets the conditions of symplecticity, b_i a_ij + b_j a_ji = b_i b_j, on the pairs of trees of up to seven
    nodes together that were tried: its adjoint parts from the gradient of its own steps by about h⁴ a step. Where the
    noise is additive, the order is 2 for a tableau that meets them on pairs of up to three nodes. It is 2 for the
    trapezoidal schemes that have no tableau, too.
    """
    if scheme == "ees27":
        return 3
    trapezoidal = scheme in ("coupled-heun", "reversible-heun")
    return 2 if noise == "additive" and (trapezoidal or symplectic_to_third_order(REGISTRY.schemes[scheme])) else 1


@pytest.mark.parametrize(("problem", "noise", "scheme"), commuting_settings(REGISTRY))
def test_the_bias_has_a_whole_order_where_the_noise_commutes(registry, make_case, problem, noise, scheme):
    steps, errors = [8, 24, 72], []
    axes = {"problem": problem, "noise": noise, "scheme": scheme, "batch": 256, "observations": 2}
    for n in steps:
        exact = gradient(registry, make_case(method="torch/backprop", steps=n, **axes))
        errors.append(distance(gradient(registry, make_case(method="torch/adjoint", steps=n, **axes)), exact))
    order = -log_slope(steps, errors)
    # 256 paths and few steps: within 0.17 was measured, and order ½ is twice as far off as 0.25. That of EES(2,7) may
    # be better, 4.4 with additive noise.
    assert order >= bias_order(noise, scheme) - 0.25
    assert order <= bias_order(noise, scheme) + 0.25 or scheme == "ees27"


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize(
    ("noise", "scheme", "order"), [("scalar", "milstein", 1.0), ("diagonal", "euler", 0.5), ("general", "euler", 0.5)]
)
def test_the_bias_falls_without_a_closed_form_of_the_correction(
    registry, make_case, monkeypatch, framework, noise, scheme, order
):
    """The correction of an Itô problem is then a difference of g."""
    monkeypatch.setattr(Neural, "correction", AbstractProblem.correction)
    steps, errors = [4, 16, 64], []
    axes = {"noise": noise, "calculus": "ito", "scheme": scheme, "batch": 256, "observations": 2}
    for n in steps:
        exact = gradient(registry, make_case(method="torch/backprop", steps=n, **axes))
        found = gradient(registry, make_case(method=f"{framework}/adjoint", steps=n, **axes))
        errors.append(distance(found, exact))
    assert log_slope(steps, errors) <= 0.15 - order
    assert errors[-1] <= 0.01  # an uncorrected drift leaves 0.07 or more, whatever the steps


@pytest.mark.parametrize(
    ("noise", "calculus", "scheme"),
    [("none", "stratonovich", "dopri5"), ("additive", "ito", "euler"), ("scalar", "ito", "srk")],
)
def test_both_backends_have_the_same_adjoint(registry, make_case, noise, calculus, scheme):
    axes = {"noise": noise, "calculus": calculus, "scheme": scheme, "observations": 4}
    a, b = (gradient(registry, make_case(method=f"{backend}/adjoint", **axes)) for backend in ("torch", "jax"))
    assert distance(a, b) <= agreement_tolerance()


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_the_state_starts_anew_at_every_observation(registry, make_case, framework):
    """Van der Pol's oscillator, μ = 10: solved back over the whole interval it explodes, over an eighth not yet."""
    axes = {"problem": "van-der-pol(mu=10.0)", "noise": "none", "scheme": "rk4", "dim": 2, "steps": 256}
    errors = []
    for observations in (1, 8):
        exact = gradient(registry, make_case(method="torch/backprop", observations=observations, **axes))
        found = gradient(registry, make_case(method=f"{framework}/adjoint", observations=observations, **axes))
        errors.append(distance(found, exact))
    assert not errors[0] <= 1  # not a number, where it overflowed
    assert errors[1] <= 1e-5
