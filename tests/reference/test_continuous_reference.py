"""Which reference is taken, and that a wrong closed form is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from gradients import gradient, path_of, problem_of

from harness.gradient_arrays import relative_error
from harness.problems.gbm import GBM
from harness.problems.linear import Linear
from harness.reference import ReferenceCache, continuous, discrete
from harness.reference.bars import ROUNDING

CLOSED = [
    ("example1", "diagonal", 3),
    ("example2", "diagonal", 3),
    ("example3", "additive", 3),
    ("gbm", "scalar", 3),
    ("commuting", "general", 2),
    ("linear", "none", 3),
]


@pytest.mark.parametrize(("problem", "noise", "dim"), CLOSED)
def test_a_closed_form_is_used_where_there_is_one(registry, make_case, tmp_path, problem, noise, dim):
    case = make_case(problem=problem, noise=noise, dim=dim, steps=8)
    it = problem_of(registry, case)
    found = continuous(it, case, path_of(it, case), ReferenceCache(tmp_path), most_steps=1)
    assert (found.theta, found.y0) == (ROUNDING, ROUNDING)


def test_a_right_closed_form_is_not_refused_by_chance(registry, make_case, tmp_path):
    """With seed 0 and batch 1 the bar of the coarsest grids is a third of the distance: finer ones decide."""
    case = make_case(problem="commuting", noise="general", dim=2, batch=1, steps=32, seed=0)
    it = problem_of(registry, case)
    found = continuous(it, case, path_of(it, case), ReferenceCache(tmp_path), most_steps=1)
    assert found.theta == ROUNDING


@dataclass(frozen=True, kw_only=True)
class ItoForStratonovich(GBM):
    """Its closed form is that of the other calculus."""

    def solution(self, xp: Any, t: Any, W: Any, y0: Any, theta: Any) -> Any:
        return y0 * xp.exp(theta["alpha"] * t + theta["beta"] * W)


@dataclass(frozen=True, kw_only=True)
class TooFast(Linear):
    """Its closed form is right at the start, and one part in a thousand ahead of time."""

    def solution(self, xp: Any, t: Any, W: Any, y0: Any, theta: Any) -> Any:
        return super().solution(xp, 1.001 * t, W, y0, theta)


@pytest.mark.parametrize(("kind", "noise"), [(ItoForStratonovich, "scalar"), (TooFast, "none")])
def test_a_wrong_closed_form_is_refused(make_case, tmp_path, kind, noise):
    case = make_case(problem=kind.name, noise=noise, steps=8)
    it = kind(noise=noise, calculus="stratonovich", dim=3)
    with pytest.raises(ValueError, match=f"closed form of {it.name} is not the solution"):
        continuous(it, case, path_of(it, case), ReferenceCache(tmp_path), most_steps=1)


def test_discrete_is_the_gradient_of_the_cases_own_solve(registry, make_case):
    case = make_case(method="torch/backprop", steps=8)
    it = problem_of(registry, case)
    asked = make_case(method="torch/adjoint", dtype="float32", steps=8)
    found = discrete(it, registry.schemes["heun"], asked, path_of(it, case))
    assert relative_error(found.theta, gradient(registry, case).theta) < 1e-13
