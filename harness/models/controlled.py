"""The times at which an ODE of a user's own must be stepped so that its solution and a sensitivity are accurate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.case import Case
from harness.grid import Grid, count_of
from harness.models.facts import ModelFacts
from harness.random import Normals
from harness.reference.adaptive_grid import NoStepsError, accepted_grid, typical_size
from harness.reference.grid_solve import FineGrid

TOLERANCE = 1e-12
"""Of the error of one step, relative to the size of the state and of the sensitivity."""
LONGEST = 500
"""The interval is cut into at least so many steps; no power of two, as the numbers of equal steps mostly are."""
MOST_EVALUATIONS = 2**14
"""Of f and its derivative. Where f has kinks, as networks of ReLU have, no number is enough."""
MOST_ENTRIES = 2**26
"""Of the states at the ends of `LONGEST` steps cut in two: a solve keeps them all."""


def controlled_grid(
    field: Callable[[float, np.ndarray], np.ndarray], facts: ModelFacts, case: Case, y0: np.ndarray
) -> FineGrid:
    """The steps that scipy's DOP853 accepts for the solution together with one directional sensitivity.

    `field(t, state)` takes and gives (2, *y0's shape): y' = f, and u' = (∂f/∂y) u + (∂f/∂θ) r, where r is `directions`
    of what f reads. u starts in a random direction. Every observation is the end of a step. Raises NoStepsError where
    the tolerance needs more than `MOST_EVALUATIONS`, or the solves would keep more than `MOST_ENTRIES`.
    """
    evaluations = 0

    def counted(t: float, state: np.ndarray) -> np.ndarray:
        nonlocal evaluations
        evaluations += 1
        if evaluations > MOST_EVALUATIONS:
            raise NoStepsError(f"a tolerance of {TOLERANCE:g} takes more than {MOST_EVALUATIONS} evaluations of f")
        return field(t, state)

    if 2 * LONGEST * y0.size > MOST_ENTRIES:
        raise NoStepsError(f"the states at all times have more than {MOST_ENTRIES} entries")
    (u0,) = directions([y0], case.seed)
    _check_derivative(field, facts.t0, y0, u0)
    ends = Grid.cached(facts.t0, facts.t1, count_of(case.observations), case.observations).observed_times()
    return accepted_grid(counted, facts, ends, np.stack([y0, u0]), TOLERANCE, LONGEST)


def _check_derivative(field: Callable[[float, np.ndarray], np.ndarray], t: float, y: np.ndarray, u: np.ndarray) -> None:
    """(∂f/∂y) u is what differences of f give: a part of f may stop its second derivative without a word.

    Raises NoStepsError.
    """
    zero, by = np.zeros_like(y), 1e-6
    forward, back = (field(t, np.stack([y + step * u, zero]))[0] for step in (by, -by))
    differences = (forward - back) / (2 * by)
    automatic = field(t, np.stack([y, u]))[1] - field(t, np.stack([y, zero]))[1]
    if np.abs(automatic - differences).max() > 1e-3 * np.abs(differences).max():
        raise NoStepsError("f has no second derivative, or is rounded")


def directions(values: list[np.ndarray], seed: int) -> list[np.ndarray]:
    """A random direction, as large as the values are."""
    normals, size = Normals(seed, 3), typical_size(*values)
    return [size * normals(*np.shape(value)) for value in values]
