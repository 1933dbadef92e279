"""The steps that a method reports: what they must be, and the discrete reference that they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gradients import distance, path_of, problem_of, read

from harness.errors import ProblemError
from harness.grid import Grid
from harness.initial import initial_values
from harness.measuring.checks import check_times
from harness.method import AbstractGradientMethod, Gradient
from harness.reference import discrete
from harness.stepping.reported import with_exact_ends

GRID = Grid(0.0, 1.0, 4, 2)


@pytest.mark.parametrize(
    "times",
    [[0.0, 1.0], [0.0, 0.5], [0.5, 1.0], [0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 1.0, 1.5], [[0.0, 0.5, 1.0]], [0.0, np.nan]],
)
def test_times_that_are_no_steps_of_the_solve_are_refused(times):
    with pytest.raises(ValueError, match="needed"):
        with_exact_ends(np.array(times), GRID)


def test_times_in_single_precision_are_those_of_the_grid():
    grid = Grid(0.0, 0.3, 3, 3)
    times = np.array([0, 0.05, 0.1, 0.2, 0.3], dtype=np.float32).astype(np.float64)
    exact, places = with_exact_ends(times, grid)
    np.testing.assert_array_equal(places, [2, 3, 4])
    np.testing.assert_array_equal(exact[places], grid.observed_times())
    assert exact[1] == times[1]


def own_method(registry) -> AbstractGradientMethod:
    """A plugin's: the scheme's steps in PyTorch with lengths as scipy chooses them, that are reported."""
    import torch

    from harness.terms import Terms

    class Reporting(AbstractGradientMethod):
        name = "own/backprop"
        framework = "torch"
        summary = "adaptive steps of its own"
        steppings = ("adaptive",)

        def build(self, problem, scheme, case, path) -> Callable[[], Gradient]:
            y0, theta = initial_values(problem, case.batch, case.seed)
            y0 = torch.tensor(y0, requires_grad=True)
            theta = {name: torch.tensor(value, requires_grad=True) for name, value in theta.items()}
            terms = Terms(torch, problem, theta)
            ends = Grid.of_case(problem, case).observed_times()

            def noise(t: float, dt: float) -> Any:
                return None if path is None else torch.from_numpy(path.between(np.array([t, t + dt]))[0][0])

            def run() -> Gradient:
                state, t, h, times, ys = scheme.init(terms, problem.t0, y0), problem.t0, 0.1, [problem.t0], []
                while t < ends[-1]:
                    end = ends[len(ys)]
                    h = min(h, end - t)
                    with torch.no_grad():
                        whole = scheme.step(terms, t, h, state, noise(t, h))
                        half = scheme.step(terms, t, h / 2, state, noise(t, h / 2))
                        half = scheme.step(terms, t + h / 2, h / 2, half, noise(t + h / 2, h / 2))
                        error = float(((whole[0] - half[0]) / case.atol).square().mean().sqrt())
                    factor = float(np.clip(0.9 * max(error, 1e-10) ** -0.5, 0.2, 10))
                    if error <= 1:
                        state = scheme.step(terms, t, h, state, noise(t, h))
                        t = end if h == end - t else t + h
                        times.append(t)
                        if t == end:
                            ys.append(state[0])
                    h *= factor
                loss = problem.loss(torch, torch.stack(ys))
                y0_bar, *bars = torch.autograd.grad(loss, [y0, *theta.values()])
                found = dict(zip(theta, bars, strict=True))
                return Gradient(loss.detach(), found, y0_bar, times=np.array(times))

            return run

    return Reporting()


@pytest.mark.parametrize(
    "axes",
    [
        {"problem": "linear", "noise": "none", "scheme": "rk4", "brownian": "own", "observations": 2},
        {"problem": "gbm", "noise": "scalar", "scheme": "heun", "observations": (0.3, 1.0)},
        {"problem": "gbm", "noise": "scalar", "scheme": "reversible-heun"},
    ],
    ids=["ode", "sde-unequal", "state-of-four"],
)
def test_the_discrete_reference_is_on_the_reported_steps(registry, make_case, axes):
    case = make_case(**{"stepping": "adaptive", "brownian": "tree", "steps": 4, "atol": 1e-3, **axes})
    problem, scheme, method = problem_of(registry, case), registry.schemes[case.scheme], own_method(registry)
    path = path_of(problem, case)
    result = method.build(problem, scheme, case, path)()
    check_times(result, problem, case)
    found = read(method, result)
    assert found.times is not None
    assert len(np.unique(np.diff(found.times).round(12))) > 2
    on_its_steps = discrete(problem, scheme, case, path, found.times)
    assert distance(found, on_its_steps) <= 1e-12  # the same steps, the same operations in another order
    assert distance(found, discrete(problem, scheme, case, path)) > 1e-7  # those of the harness's own controller
    with pytest.raises(ProblemError, match="reports"):
        check_times(replace(result, times=found.times[1:]), problem, case)
