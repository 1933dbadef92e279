"""Adaptive steps: the error follows the tolerance, both backends take the same steps, and the path is one path."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from gradients import counting_problem, distance, gradient, path_of, problem_of, read
from tolerances import agreement_tolerance

from harness.gradient_arrays import GradientArrays
from harness.initial import initial_values
from harness.measuring.framework import FRAMEWORKS
from harness.reference import discrete
from harness.reference.closed_form import closed_form
from harness.stepping import Adaptive, adaptive_refusal, stepping_of

EXAMPLE1 = {"problem": "example1", "calculus": "ito", "scheme": "milstein"}
EXAMPLE2 = {"problem": "example2", "calculus": "stratonovich", "scheme": "heun"}
ODE = {"problem": "linear", "noise": "none", "brownian": "own"}


@pytest.fixture
def adaptive_case(make_case):
    """A small case whose first step is a quarter of the interval."""

    def make(**axes: Any) -> Any:
        return make_case(**{"stepping": "adaptive", "brownian": "tree", "steps": 4, "atol": 1e-3, **axes})

    return make


def evaluations(found: GradientArrays) -> float:
    """Of f, which adaptive solves count."""
    assert found.evaluations is not None
    return found.evaluations


def truth(registry: Any, case: Any, seed: int = 7) -> GradientArrays:
    """The closed form's gradient on the path of `gradient`."""
    problem = problem_of(registry, case)
    found = closed_form(problem, case, path_of(problem, case, seed) if case.noise != "none" else None)
    assert found is not None
    return found


@pytest.mark.parametrize("scheme", ["heun", "rk4", "dopri5"])
@pytest.mark.parametrize("approach", ["backprop", "adjoint"])
def test_the_error_of_an_ode_follows_the_tolerance(registry, adaptive_case, approach, scheme):
    """Heun's and Dormand and Prince's estimates are embedded, the other's is had by doubling the step."""
    cases = [
        adaptive_case(**ODE, method=f"torch/{approach}", scheme=scheme, atol=atol, observations=2)
        for atol in (1e-4, 1e-6, 1e-8)
    ]
    if scheme == "heun":
        cases = cases[:2]
    found = [gradient(registry, case) for case in cases]
    errors = [distance(x, truth(registry, case)) for x, case in zip(found, cases, strict=True)]
    assert all(later < earlier for earlier, later in pairwise(errors))
    # A step's error is held, not that of the gradient, which sums a hundred of them at most.
    assert all(error <= 100 * case.atol for error, case in zip(errors, cases, strict=True))
    counts = [evaluations(x) for x in found]
    assert all(later > earlier for earlier, later in pairwise(counts))


@pytest.mark.parametrize("axes", [EXAMPLE1, EXAMPLE2], ids=["example1", "example2"])
@pytest.mark.parametrize("approach", ["backprop", "adjoint"])
def test_the_error_of_an_sde_falls_with_the_tolerance(registry, adaptive_case, approach, axes):
    """The median over paths; from 1e-1 to 1e-4 the step falls by 10² or so, and with it an error of order 1."""
    seeds = range(5)
    errors, counts = [], []
    for atol in (1e-1, 1e-2, 1e-3, 1e-4):
        case = adaptive_case(**axes, method=f"torch/{approach}", atol=atol, dim=5)
        found = [gradient(registry, case, seed) for seed in seeds]
        distances = [distance(x, truth(registry, case, seed)) for x, seed in zip(found, seeds, strict=True)]
        errors.append(np.median(distances))
        counts.append(np.median([evaluations(x) for x in found]))
    assert all(later < earlier for earlier, later in pairwise(errors))
    assert all(later > earlier for earlier, later in pairwise(counts))
    assert errors[-1] <= 0.1 * errors[0]


@pytest.mark.parametrize(
    "axes",
    [
        {**EXAMPLE1, "observations": 3, "steps": 12, "atol": 1e-2},
        {**EXAMPLE2, "scheme": "reversible-heun", "atol": 0.0, "rtol": 1e-2},
        {"problem": "example3", "calculus": "ito", "scheme": "heun", "noise": "additive"},
        {**ODE, "scheme": "dopri5", "observations": 2, "atol": 1e-8},
        {**EXAMPLE1, "observations": (0.07, 0.1, 0.55, 1.0), "steps": 12, "atol": 1e-2},
        {**ODE, "scheme": "heun", "observations": (0.07, 0.1, 0.55, 1.0)},
        {**ODE, "scheme": "dopri5", "observations": (0.07, 0.1, 0.55, 1.0), "atol": 1e-8},
        {**ODE, "scheme": "dopri5", "atol": 1e-8},
    ],
    ids=[
        "doubled",
        "state-of-four",
        "embedded",
        "dense",
        "doubled-unequal",
        "embedded-unequal",
        "dense-unequal",
        "end",
    ],
)
@pytest.mark.parametrize("approach", ["backprop", "adjoint"])
def test_backends_take_the_same_steps(registry, adaptive_case, approach, axes):
    torch, jax = (gradient(registry, adaptive_case(**axes, method=f"{b}/{approach}")) for b in ("torch", "jax"))
    assert distance(torch, jax) <= agreement_tolerance()
    if approach == "adjoint":
        assert torch.evaluations == jax.evaluations


@pytest.mark.parametrize("approach", ["backprop", "adjoint"])
@pytest.mark.parametrize("axes", [EXAMPLE1, ODE], ids=["sde", "ode"])
def test_steps_end_at_observations_at_any_times(registry, adaptive_case, approach, axes):
    """The gradient meets the closed form's, which is that of the states at these times."""
    case = adaptive_case(**axes, method=f"torch/{approach}", atol=1e-4, observations=(0.07, 0.1, 0.55, 1.0))
    assert distance(gradient(registry, case), truth(registry, case)) <= 100 * case.atol


def test_backprop_is_the_gradient_of_the_kept_steps(registry, adaptive_case):
    """Central differences: the lengths are whole numbers of ticks, so that they don't move with θ."""
    import torch

    from harness.methods.torch._adaptive import AdaptiveSolve
    from harness.methods.torch._solve import TorchSolve

    case = adaptive_case(**EXAMPLE1, observations=2, dim=2)
    problem = problem_of(registry, case)
    solve = TorchSolve.of(problem, registry.schemes[case.scheme], case, path_of(problem, case))
    adaptive = AdaptiveSolve(solve)
    eps, found = 1e-6, []
    with torch.no_grad():
        for name in sorted(solve.theta):
            entries = solve.theta[name].view(-1)
            for i in range(len(entries)):
                losses = []
                for step in (eps, -2 * eps, eps):
                    entries[i] += step
                    losses.append(float(solve.problem.loss(torch, torch.stack(adaptive.forward(solve.y0)[0]))))
                found.append((losses[0] - losses[1]) / (2 * eps))
    exact = gradient(registry, case).theta
    # Truncation ε² and rounding 1e-16 / ε.
    assert np.linalg.norm(exact - found) <= 1e-8 * np.linalg.norm(exact)


def test_interpolated_states_have_their_gradient(registry, adaptive_case):
    """Central differences with the steps held: the loss reads states within steps, one of several observed there."""
    import torch

    from harness.methods.torch._adaptive import AdaptiveSolve
    from harness.methods.torch._solve import TorchSolve

    case = adaptive_case(**ODE, scheme="dopri5", atol=1e-3, observations=(0.03, 0.1, 0.55, 0.6, 1.0), dim=2, steps=5)
    problem = problem_of(registry, case)
    solve = TorchSolve.of(problem, registry.schemes[case.scheme], case, None)
    steps = held_steps(AdaptiveSolve(solve), solve.y0)
    assert len(steps) < 5  # observations share steps
    eps, found = 1e-6, []
    with torch.no_grad():
        for name in sorted(solve.theta):
            entries = solve.theta[name].view(-1)
            for i in range(len(entries)):
                losses = []
                for step in (eps, -2 * eps, eps):
                    entries[i] += step
                    losses.append(float(problem.loss(torch, torch.stack(on_steps(AdaptiveSolve(solve), steps)))))
                found.append((losses[0] - losses[1]) / (2 * eps))
    exact = gradient(registry, case).theta
    # Truncation ε² and rounding 1e-16 / ε.
    assert np.linalg.norm(exact - found) <= 1e-8 * np.linalg.norm(exact)


def held_steps(adaptive: Any, y0: Any) -> list[tuple[int, int]]:
    """The kept steps of a solve, in ticks."""
    steps: list[tuple[int, int]] = []
    within = adaptive._observed
    adaptive._observed = lambda step, passed: [steps.append((step.start, step.stop)), *within(step, passed)][1:]
    adaptive.forward(y0)
    return steps


def on_steps(adaptive: Any, steps: list[tuple[int, int]]) -> list[Any]:
    """The observed states of the solve with these steps."""
    from harness.methods.torch._adaptive import Step

    solve, estimate, ticks, ys = adaptive.solve, adaptive.ahead.estimate, adaptive.ahead.ticks, []
    state = estimate.begin(solve.terms, 0.0, (solve.y0,))
    for start, stop in steps:
        dt = (stop - start) * ticks.mean
        after, _ = adaptive._step(start * ticks.mean, dt, state, None)
        ys += adaptive._observed(Step(start, stop, dt, state, after), len(ys))
        state = estimate.carried(after)
    return ys


@pytest.mark.parametrize("axes", [EXAMPLE1, {**ODE, "scheme": "dopri5"}], ids=["doubled", "dense"])
@pytest.mark.parametrize("observations", [1, 2])
@pytest.mark.parametrize("approach", ["backprop", "adjoint"])
@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_evaluations_are_those_made(registry, adaptive_case, framework, approach, axes, observations):
    case = adaptive_case(**axes, method=f"{framework}/{approach}", observations=observations)
    problem, calls = counting_problem(registry, case)
    method = registry.methods[case.method]
    run = method.build(problem, registry.schemes[case.scheme], case, path_of(problem, case))
    calls.clear()
    found = read(method, run())
    assert found.evaluations == calls["f"] > 0


def test_steps_are_rejected_and_grow(registry, adaptive_case):
    from harness.methods.torch._adaptive import AdaptiveSolve
    from harness.methods.torch._solve import TorchSolve

    def walked(**axes: Any) -> Any:
        case = adaptive_case(**EXAMPLE1, **axes)
        problem = problem_of(registry, case)
        solve = TorchSolve.of(problem, registry.schemes[case.scheme], case, path_of(problem, case))
        return AdaptiveSolve(solve).forward(solve.y0)[1]

    strict = walked(atol=1e-4, steps=1)
    assert strict.attempts > strict.kept > 10
    loose = walked(atol=1e3, steps=64)
    # Each may be five times as long as the one before: 1 + 5 + 25 of 64, and the rest.
    assert loose.attempts == loose.kept == 4


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("approach", ["backprop", "adjoint"])
def test_the_tree_drives_both_solves(registry, adaptive_case, backend, approach):
    """Without a shared path: the loss is that of the exact solution at the tree's own W(t1), to a part of a hundred."""
    import jax

    from harness.brownian.jax_tree import JaxTree
    from harness.brownian.torch_tree import TorchTree

    case = adaptive_case(**EXAMPLE1, method=f"{backend}/{approach}", atol=1e-4)
    problem = problem_of(registry, case)
    run = registry.methods[case.method].build(problem, registry.schemes[case.scheme], case, None)
    found, again = (FRAMEWORKS[backend].read(run()) for _ in range(2))
    assert distance(found, again) == 0
    stepping = stepping_of(problem, registry.schemes[case.scheme], case)
    assert isinstance(stepping, Adaptive)
    ticks = stepping.ticks.count
    if backend == "torch":
        W = TorchTree(case, case.dim, ticks, 1.0).at(ticks).numpy()
    else:
        W = np.asarray(JaxTree.of(jax.random.key(case.seed), case, case.dim, ticks, 1.0).at(ticks))
    y0, theta = initial_values(problem, case.batch, case.seed)
    end = problem.solution(np, 1.0, W, y0, theta)
    assert end is not None
    exact = float(problem.loss(np, end[None]))
    assert abs(found.loss - exact) <= 0.01 * abs(exact)


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("approach", ["backprop", "adjoint"])
def test_what_takes_too_many_steps_is_not_a_number(registry, adaptive_case, backend, approach):
    case = adaptive_case(**ODE, method=f"{backend}/{approach}", scheme="euler", atol=1e-9)
    found = gradient(registry, case)
    assert not found.finite()
    assert np.isnan(found.theta).all()
    assert np.isnan(found.y0).all()


def test_the_discrete_reference_takes_the_same_steps(registry, adaptive_case):
    case = adaptive_case(**EXAMPLE1, method="torch/backprop", observations=3, steps=12, atol=1e-2)
    problem = problem_of(registry, case)
    reference = discrete(problem, registry.schemes[case.scheme], case, path_of(problem, case))
    assert distance(gradient(registry, case), reference) <= agreement_tolerance()


@pytest.mark.parametrize(
    ("axes", "reason"),
    [
        ({"brownian": "own"}, "use brownian tree"),
        ({"atol": 0.0}, "above 0"),
        ({"problem": "neural", "scheme": "heun"}, "commutative"),
        ({**EXAMPLE1, "scheme": "euler"}, "order 1"),
        ({**EXAMPLE1, "scheme": "srk"}, "Lévy"),
        (ODE, None),
    ],
)
def test_what_adaptive_steps_cannot_do_is_said_at_plan_time(registry, adaptive_case, axes, reason):
    case = adaptive_case(**axes)
    method = registry.methods["torch/backprop"]
    found = adaptive_refusal(problem_of(registry, case), registry.schemes[case.scheme], method, case)
    assert found is None if reason is None else reason in found
