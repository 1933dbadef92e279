"""The gradient of the continuous-time problem on a path, with its error bar."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.problem import AbstractProblem
from harness.reference.adaptive import adaptive
from harness.reference.cache import ReferenceCache
from harness.reference.closed_form import closed_form
from harness.reference.fine_grid import fine_grid

ROUNDING = 1e-14
"""The bar of a closed form: what float64 may lose in evaluating and differentiating it, relative."""
TOLERANCES = (1e-12, 1e-13)
"""Of the adaptive solver, whose two gradients' distance is the bar."""
COARSEST = {True: 2**9, False: 2**11}
"""Steps of the coarsest grid, at least, by whether the noise commutes; and at least so many times the case's:"""
FINER = {True: 2, False: 4}
RESOLVED = 0.1
"""A bar is good enough at this fraction of the smallest error that it must resolve."""


@dataclass(frozen=True)
class Reference:
    """A gradient and its error bars, relative L2, for θ and for y0."""

    gradient: GradientArrays
    theta: float
    y0: float

    def resolves(self, found: Iterable[GradientArrays]) -> bool:
        """Whether each bar is at most a tenth of the smallest error that a finite gradient has in that part.

        An error that vanishes altogether needs no bar.
        """
        finite = [gradient for gradient in found if gradient.finite()]
        thetas = [relative_error(gradient.theta, self.gradient.theta) for gradient in finite]
        y0s = [relative_error(gradient.y0, self.gradient.y0) for gradient in finite]
        return all(
            bar <= RESOLVED * min((error for error in errors if error > 0), default=math.inf)
            for bar, errors in ((self.theta, thetas), (self.y0, y0s))
        )


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

    The closed form's where there is one, else that of numeric solves, each four times as fine as the one before: the
    distance of two is the finer one's bar, for θ and for y0. At order ½, the worst, the coarser one has twice the
    error, so that the distance is at least the finer one's error unless the two happen to align. Refined until a bar is
    a tenth of the smallest error among `found`, the gradients that are to be judged, or the next grid has more than
    `most_steps`.
    """
    exact = cache.get(("closed form", problem, case, path), lambda: closed_form(problem, case, path))
    if exact is not None:
        return Reference(exact, ROUNDING, ROUNDING)
    levels = _levels(problem, case, path, cache, most_steps)
    coarse, fine = next(levels)(), next(levels)()
    reference = _compare(coarse, fine)
    for level in levels:
        if reference.resolves(found):
            break
        coarse, fine = fine, level()
        reference = _compare(coarse, fine)
    return reference


def _levels(
    problem: AbstractProblem, case: Case, path: SharedPath | None, cache: ReferenceCache, most_steps: int
) -> Iterator[Callable[[], GradientArrays]]:
    """Ever finer gradients, two at least, each computed when it is called."""

    def by_tolerance(tolerance: float) -> GradientArrays:
        return cache.get(("adaptive", problem, case, path, tolerance), lambda: adaptive(problem, case, tolerance))

    def by_steps(path: SharedPath, steps: int) -> GradientArrays:
        return cache.get(("fine grid", problem, case, path, steps), lambda: fine_grid(problem, case, path, steps))

    if path is None:
        return iter([functools.partial(by_tolerance, tolerance) for tolerance in TOLERANCES])
    steps = case.steps
    while steps < max(COARSEST[problem.commutative], FINER[problem.commutative] * case.steps):
        steps *= 2
    grids = [steps, 4 * steps]
    while 4 * grids[-1] <= most_steps:
        grids.append(4 * grids[-1])
    return iter([functools.partial(by_steps, path, n) for n in grids])


def _compare(coarse: GradientArrays, fine: GradientArrays) -> Reference:
    bars = relative_error(coarse.theta, fine.theta), relative_error(coarse.y0, fine.y0)
    return Reference(fine, *(max(bar, ROUNDING) for bar in bars))
