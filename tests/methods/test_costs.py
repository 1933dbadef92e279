"""Evaluations of f and g, counted: what the table of costs in docs/methods/README.md is made of."""

from __future__ import annotations

import pytest
from gradients import counting_problem, path_of, problem_of

from harness.initial import initial_values
from harness.methods.torch._abreast import chunks

N = 64
START = {"reversible-heun": 1, "alf": 1}
"""Evaluations at t0 of the schemes that begin with one. Where a sweep backwards ends there, they are made once more."""


def counted(registry, case):
    """How often a gradient evaluates f and g. Many states abreast are one evaluation."""
    problem, calls = counting_problem(registry, case)
    method = registry.methods[case.method]
    assert method.unsupported(case) is None
    run = method.build(problem, registry.schemes[case.scheme], case, path_of(problem, case))
    calls.clear()
    run()
    return calls["f"], calls["g"]


def ode(approach, scheme, per_step, starts=0):
    """A row of the table for an ODE: evaluations of f a step, and of f at t0 in all."""
    return pytest.param(approach, scheme, per_step, starts, id=f"{approach} {scheme}")


@pytest.mark.parametrize(
    ("approach", "scheme", "per_step", "starts"),
    [
        ode("backprop", "rk4", 4),  # s
        ode("backprop", "reversible-heun", 1, 1),
        ode("checkpoint", "rk4", 8),  # 2s
        ode("checkpoint", "reversible-heun", 2, 2),
        ode("adjoint", "rk4", 8),  # s + s_b
        ode("adjoint", "euler", 2),
        ode("adjoint", "reversible-heun", 3, 1),
        ode("interpolating-adjoint", "rk4", 9),  # s + s_b + 1 where stages lie between grid points
        ode("interpolating-adjoint", "midpoint", 5),
        ode("interpolating-adjoint", "heun", 4),
        ode("interpolating-adjoint", "reversible-heun", 3, 1),
        ode("symplectic-adjoint", "rk4", 11),  # 3s − 1
        ode("symplectic-adjoint", "heun", 5),
        ode("symplectic-adjoint", "euler", 2),
        ode("symplectic-adjoint", "dopri5", 17),
        ode("reversible", "reversible-heun", 2, 2),
        ode("reversible", "alf", 3, 2),  # 3s
        ode("reversible", "coupled-rk4", 24),
        ode("ees", "ees25", 9),  # 3s
        ode("ees", "ees27", 12),
        ode("alf", "alf", 2, 2),
        ode("forward", "rk4", 8),  # s, and s with derivatives along the one chunk
        ode("forward-gradient", "rk4", 4),  # s with derivatives
    ],
)
def test_evaluations_for_an_ode(registry, make_case, approach, scheme, per_step, starts):
    case = make_case(method=f"torch/{approach}", scheme=scheme, noise="none", steps=N)
    assert counted(registry, case) == (N * per_step + starts, 0)


@pytest.mark.parametrize(
    ("approach", "scheme", "calculus", "f", "g", "starts"),
    [
        ("backprop", "heun", "stratonovich", 2, 2, 0),
        ("backprop", "srk", "ito", 3, 4, 0),
        ("checkpoint", "euler-heun", "stratonovich", 2, 4, 0),
        ("adjoint", "midpoint", "stratonovich", 4, 4, 0),
        ("adjoint", "euler-heun", "stratonovich", 3, 4, 0),  # backwards Heun's
        ("interpolating-adjoint", "midpoint", "stratonovich", 4, 4, 0),  # on the path of an SDE always Heun's
        ("reversible", "reversible-heun", "stratonovich", 2, 2, 2),
        ("reversible", "coupled-heun", "stratonovich", 12, 12, 0),
        ("ees", "ees25", "stratonovich", 9, 9, 0),
    ],
)
def test_evaluations_for_an_sde(registry, make_case, approach, scheme, calculus, f, g, starts):
    case = make_case(method=f"torch/{approach}", scheme=scheme, calculus=calculus, steps=N)
    assert counted(registry, case) == (N * f + starts, N * g + starts)


@pytest.mark.parametrize(("approach", "factor"), [("backprop", 1), ("checkpoint", 2)])
def test_the_count_is_the_schemes_own(registry, make_case, approach, factor):
    """For whatever scheme: what it says that a step evaluates, and so what the floor evaluates."""
    for noise, calculus in (("none", "stratonovich"), ("additive", "ito"), ("diagonal", "stratonovich")):
        for scheme in registry.schemes.values():
            case = make_case(
                method=f"torch/{approach}", scheme=scheme.name, noise=noise, calculus=calculus, steps=16, observations=4
            )
            if scheme.unsupported(problem_of(registry, case)) is None:
                starts = START.get(scheme.name, 0)
                f, g = (factor * (16 * count + starts) for count in scheme.work(noise))
                assert counted(registry, case) == (f, 0 if noise == "none" else g), (scheme.name, noise)


def test_finite_differences_take_two_solves_an_entry_and_one(registry, make_case):
    """A chunk of entries, each moved up and down, is solved abreast; then the point itself."""
    case = make_case(method="torch/finite-differences", scheme="heun", noise="none", steps=4, dim=2, batch=2)
    y0, theta = initial_values(problem_of(registry, case), case.batch, case.seed)
    entries = y0.size + sum(value.size for value in theta.values())
    solves = len(chunks(entries, 2 * entries)) + 1
    assert counted(registry, case) == (solves * case.steps * 2, 0)
