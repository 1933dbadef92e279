"""Backpropagation at kept stages, JAX: the very derivative of the steps, for less arithmetic."""

from __future__ import annotations

import pytest
from gradients import path_of, problem_of

from harness.gradient_arrays import GradientArrays, relative_errors
from harness.methods.jax._compile import CompiledGradient, compile_gradient
from harness.methods.jax._segment import StepsSweep, by_steps
from harness.methods.jax._solve import JaxSolve
from harness.methods.jax._stages import step_at, step_keeping
from harness.methods.jax._sweep import loss_gradient

pytestmark = pytest.mark.usefixtures("usual_compilation")


def both(registry, case):
    """The programs with stages kept and without."""
    problem = problem_of(registry, case)
    by_stages = loss_gradient(StepsSweep(step_keeping, step_at))
    solve = JaxSolve(problem, registry.schemes[case.scheme], case)
    return [compile_gradient(function, solve, path_of(problem, case)) for function in (by_stages, by_steps)]


@pytest.mark.parametrize(
    ("scheme", "noise", "calculus"),
    [
        ("euler", "diagonal", "ito"),
        ("heun", "general", "stratonovich"),
        ("midpoint", "scalar", "stratonovich"),
        ("ralston", "additive", "stratonovich"),
        ("rk4-38", "none", "stratonovich"),
        ("dopri5", "none", "stratonovich"),
        ("ees27", "diagonal", "stratonovich"),
    ],
)
def test_it_is_the_derivative_of_the_steps(registry, make_case, scheme, noise, calculus):
    case = make_case(method="jax/backprop", scheme=scheme, noise=noise, calculus=calculus, observations=4)
    assert registry.schemes[scheme].unsupported(problem_of(registry, case)) is None
    gradients = [run() for run in both(registry, case)]
    ours, plain = (GradientArrays.of(found.loss, found.theta, found.y0) for found in gradients)
    assert max(relative_errors(ours, plain).values()) < 1e-15


def flops(run: CompiledGradient) -> float:
    analysis = run.executable.cost_analysis()
    assert analysis is not None
    return analysis["flops"]


@pytest.mark.parametrize("noise", ["none", "diagonal", "general"])
def test_stages_are_not_computed_again(registry, make_case, noise):
    """Of Heun's step f and g at y0 serve the second stage alone: without their last layers there is less to do."""
    case = make_case(method="jax/backprop", noise=noise, problem="neural(width=64)", dim=16, batch=32)
    ours, plain = (flops(run) for run in both(registry, case))
    outputs = 16 * {"none": 1, "diagonal": 2, "general": 5}[noise]
    assert plain - ours > 0.9 * 2 * 32 * 64 * outputs
