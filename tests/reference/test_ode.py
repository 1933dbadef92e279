"""The reference of ODEs: its bars cover the error of the gradient, at rest and elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from gradients import problem_of
from known_odes import KNOWN, AbstractKnown

import harness.reference.adaptive_grid as adaptive_grid_module
import harness.reference.ode as ode_module
from harness.gradient_arrays import GradientArrays, relative_error
from harness.problems.lorenz import Lorenz
from harness.reference import ReferenceCache
from harness.reference.adaptive_grid import adaptive_grid
from harness.reference.closed_form import closed_form
from harness.reference.grid_solve import FineGrid, grid_solve
from harness.reference.loss_differences import loss_differences
from harness.reference.ode import ode

OBSERVATIONS = (1, 5, 9, 21)
DRAWS = 24
"""Of each of the six classes: 144 cases."""


class NoCache(ReferenceCache):
    """Computes everything."""

    def get(self, question: Any, compute: Any, kind: type = GradientArrays) -> Any:
        return compute()


def reference_of(problem: AbstractKnown, make_case, observations: int, **options: Any):
    case = make_case(
        problem=problem.name, noise="none", dim=2, batch=1, observations=observations, steps=8 * observations
    )
    return ode(problem, case, NoCache(), most_steps=2**17, **options)


@pytest.mark.parametrize("kind", KNOWN)
def test_the_bar_covers_the_error_of_the_gradient(make_case, kind):
    """Linear systems with random spectra, equilibria, a stiff decay, a force that comes late: at least 95%."""
    covered = []
    for draw in range(DRAWS):
        observations = OBSERVATIONS[draw % len(OBSERVATIONS)]
        problem = kind(noise="none", calculus="stratonovich", dim=2, draw=draw)
        truth, found = problem.truth(observations), reference_of(problem, make_case, observations)
        covered += [
            relative_error(getattr(found.gradient, part), getattr(truth, part)) <= getattr(found, part)
            for part in ("theta", "y0", "loss")
        ]
    assert np.mean(covered) >= 0.95


@pytest.mark.parametrize("observations", OBSERVATIONS)
def test_an_equilibrium_is_resolved(make_case, observations):
    """The solution stands still while its sensitivity turns: a controller of the solution alone would see nothing."""
    problem = next(cls for cls in KNOWN if cls.name == "equilibrium")(
        noise="none", calculus="stratonovich", dim=2, draw=3
    )
    truth, found = problem.truth(observations), reference_of(problem, make_case, observations)
    assert relative_error(found.gradient.theta, truth.theta) < 1e-11
    assert found.theta < 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class Switch(AbstractKnown):
    """y' = 1 below 1 and 3 above: dy(t1)/dy0 is 3, of which automatic differentiation sees 1."""

    name = "switch"

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return np.full((batch, 2), 0.123)

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"fast": np.array(3.0)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return xp.where(y < 1.0, 1.0 + 0.0 * y, theta["fast"] + 0.0 * y)

    def flow(self, t: Any, y0: Any, theta: Any) -> Any:
        return np.where(y0.real + t < 1, y0 + t, 1 + theta["fast"] * (t - (1 - y0)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Dose(AbstractKnown):
    """y' = −k y + 1 from t = 1.2345 on: the right-hand side jumps at a time that no grid has."""

    name = "dose"

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return np.ones((batch, 2))

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"k": np.array([0.5, 2.0])}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return -theta["k"] * y + xp.where(t > 1.2345, 1.0 + 0.0 * y, 0.0 * y)

    def flow(self, t: Any, y0: Any, theta: Any) -> Any:
        k, late = theta["k"], t - np.longdouble(1.2345)
        return y0 * np.exp(-k * t) + (np.where(late > 0, 1 - np.exp(-k * late), 0)) / k


@pytest.mark.parametrize("kind", [Switch, Dose])
@pytest.mark.parametrize("observations", OBSERVATIONS)
def test_the_bar_covers_where_the_right_hand_side_jumps(make_case, kind, observations):
    problem = kind(noise="none", calculus="stratonovich", dim=2)
    truth, found = problem.truth(observations), reference_of(problem, make_case, observations)
    for part in ("theta", "y0"):
        error, bar = relative_error(getattr(found.gradient, part), getattr(truth, part)), getattr(found, part)
        assert error <= bar


def test_the_state_s_own_jumps_are_found_by_differences_of_the_loss(make_case):
    """The adapted, the halved and the equal grid all give what automatic differentiation gives, and agree."""
    problem = Switch(noise="none", calculus="stratonovich", dim=2)
    case = make_case(problem="switch", noise="none", dim=2, batch=1, steps=8)
    differences, found = loss_differences(problem, case), reference_of(problem, make_case, 1)
    assert found.y0 == differences.misses(found.gradient)["y0"] > 1
    assert differences.misses(problem.truth(1)) == {"theta": 0.0, "y0": 0.0}


@dataclass(frozen=True, kw_only=True)
class LongerLorenz(Lorenz):
    """Lorenz's equations for long enough that errors grow."""

    name = "longer-lorenz"
    t1 = 4.0


@pytest.mark.parametrize("draw", range(4))
def test_a_bar_covers_chaos(make_case, draw):
    """Lorenz's equations over four time units: against a solve with a quarter of the steps' length."""
    problem = LongerLorenz(noise="none", calculus="stratonovich", dim=3)
    case = make_case(problem=problem.name, noise="none", batch=2, seed=draw)
    found = ode(problem, case, NoCache(), most_steps=2**17)
    fine = grid_solve(problem, case, ode_module.SCHEME, adaptive_grid(problem, case).halved().halved())
    assert relative_error(found.gradient.theta, fine.theta) <= found.theta < 1e-8


def test_equal_steps_get_finer_until_the_smallest_error_is_resolved(make_case):
    problem = next(cls for cls in KNOWN if cls.name == "stiff")(noise="none", calculus="stratonovich", dim=2, draw=0)
    rough = reference_of(problem, make_case, 1)
    off = GradientArrays(0.0, rough.gradient.theta * (1 + 1e-9), rough.gradient.y0 * (1 + 1e-9))
    assert reference_of(problem, make_case, 1, found=[off]).theta <= max(1e-10, 0.2 * rough.theta)


def test_too_many_steps_are_said_to_be_so(make_case, monkeypatch):
    monkeypatch.setattr(adaptive_grid_module, "MOST_STEPS", 20)
    problem = next(cls for cls in KNOWN if cls.name == "spectrum")(noise="none", calculus="stratonovich", dim=2)
    with pytest.raises(RuntimeError, match="more than 20 steps"):
        reference_of(problem, make_case, 1)


@pytest.mark.parametrize("observations", [1, 4, 5])
def test_an_ode_is_solved_to_rounding(registry, make_case, observations):
    case = make_case(problem="linear", noise="none", observations=observations, steps=20)
    it = problem_of(registry, case)
    exact = closed_form(it, case, None)
    assert exact is not None
    found = ode(it, case, NoCache(), most_steps=1).gradient
    assert relative_error(found.theta, exact.theta) < 1e-13
    assert relative_error(found.y0, exact.y0) < 1e-13
    assert found.largest == pytest.approx(exact.largest)


def test_filling_up_the_last_chunk_changes_nothing(registry, make_case):
    """Steps of length zero: an ODE in 100 steps, in a chunk of 256, gives what it gives in chunks of 10."""
    case = make_case(problem="lotka-volterra", noise="none", dim=2, observations=5, steps=100)
    it = problem_of(registry, case)
    grid = FineGrid.equal(it, 100, np.arange(1, 6) / 5)
    filled = grid_solve(it, case, ode_module.SCHEME, grid)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.reference.grid_solve.CHUNK", 10)
        exact = grid_solve(it, case, ode_module.SCHEME, grid)
    assert relative_error(filled.theta, exact.theta) < 1e-14
    assert relative_error(filled.y0, exact.y0) < 1e-14
