"""The continuous reference: the gradient of the continuous-time problem on a path, with its error bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_errors
from harness.problem import AbstractProblem
from harness.reference.bars import ROUNDING, Reference
from harness.reference.cache import ReferenceCache
from harness.reference.closed_form import closed_form
from harness.reference.ode import ode
from harness.reference.sde import sde

CHECKED_BATCH = 2
"""Samples of the small problem on which a closed form is compared with the numeric reference."""
CERTAIN = 3.0
"""A closed form is doubted where it is so many times the bar away: a bar covers an error in 95% of cases only."""
CHECKED_STEPS = (1, 2**13, 2**15)
"""Steps at most of the numeric references that it must agree with one of. The first takes as few as it can."""


def continuous(
    problem: AbstractProblem,
    case: Case,
    path: SharedPath | None,
    cache: ReferenceCache,
    *,
    found: Sequence[GradientArrays] = (),
    most_steps: int,
) -> Reference:
    """The gradient of the problem on the path (None for an ODE), whatever method and scheme the case has.

    The closed form's where there is one, once it agrees with the numeric reference on a small batch. Else the numeric
    one, refined as far as it must be to judge the gradients `found`, up to `most_steps`. Raises ValueError where the
    closed form is wrong, RuntimeError where there is no numeric solution.
    """
    exact = cache.get(("closed form", problem, case, path), lambda: closed_form(problem, case, path))
    if exact is None:
        return numeric(problem, case, path, cache, found=found, most_steps=most_steps)
    _check_closed_form(problem, case, path, cache)
    return Reference(exact, ROUNDING, ROUNDING, ROUNDING)


def numeric(
    problem: AbstractProblem,
    case: Case,
    path: SharedPath | None,
    cache: ReferenceCache,
    *,
    found: Sequence[GradientArrays] = (),
    most_steps: int,
) -> Reference:
    """The gradient of a numeric solution, whether or not there is a closed form. Parameters are as in `continuous`."""
    if path is None:
        return ode(problem, case, cache, found=found, most_steps=most_steps)
    return sde(problem, case, path, cache, found=found, most_steps=most_steps)


def _check_closed_form(problem: AbstractProblem, case: Case, path: SharedPath | None, cache: ReferenceCache) -> None:
    """Compare it with numeric references of the same problem: a small batch, one observation, few steps at first.

    Few grids may give a bar that is too small by chance. A wrong form is as far from a finer reference, whose bar is
    smaller; a right one comes to lie within it.
    """
    small = replace(case, batch=min(case.batch, CHECKED_BATCH), observations=1, steps=1)
    its_path = None if path is None else replace(path, seed=case.seed, batch=small.batch)
    claimed = cache.get(("closed form", problem, small, its_path), lambda: closed_form(problem, small, its_path))
    assert claimed is not None
    doubt = ""
    for most_steps in CHECKED_STEPS:
        solved = numeric(problem, small, its_path, cache, most_steps=most_steps, found=[claimed] if doubt else [])
        far = {
            part: d
            for part, d in relative_errors(claimed, solved.gradient).items()
            if d > CERTAIN * getattr(solved, part)
        }
        if not far:
            return
        part, distance = next(iter(far.items()))
        doubt = (
            f"the closed form of {problem.name} is not the solution of its drift and diffusion: its gradient for {part}"
            f" differs by {distance:.2g} from the numeric solution's, whose own error is below"
            f" {getattr(solved, part):.1g}"
        )
    raise ValueError(doubt)
