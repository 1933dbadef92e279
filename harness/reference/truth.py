"""The gradient of the continuous-time problem on a path, with its error bar."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error, relative_errors
from harness.problem import AbstractProblem
from harness.reference.adaptive import adaptive
from harness.reference.cache import ReferenceCache
from harness.reference.closed_form import closed_form
from harness.reference.fine_grid import fine_grid, strongest

ROUNDING = 1e-14
"""The bar of a closed form: what float64 may lose in evaluating and differentiating it, relative."""
TOLERANCES = (1e-12, 1e-13)
"""Of the adaptive solver, whose two gradients' distance is the bar."""
COARSEST = {True: 2**9, False: 2**11}
"""Steps of the coarsest grid, at least, by whether the noise commutes; and at least so many times the case's:"""
FINER = {True: 2, False: 4}
SMALLER = {True: 0, False: 1}
"""Grids below the coarsest, each a quarter as fine, that help to tell the size of an error."""
ESTIMATES = 3
"""Distances of neighbouring grids that a bar is made of, at the most."""
COVERAGE = 0.95
"""Of the bars of numeric SDE solves, were errors normal."""
RESOLVED = 0.1
"""A bar is good enough at this fraction of the smallest error that it must resolve."""


@dataclass(frozen=True)
class Reference:
    """A gradient and its error bars: relative L2 for θ and for y0, relative for the loss."""

    gradient: GradientArrays
    theta: float
    y0: float
    loss: float

    def resolves(self, found: Iterable[GradientArrays]) -> bool:
        """Whether the bars of θ and y0 are at most a tenth of the smallest error that a finite gradient has there.

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

    The closed form's where there is one. For an ODE, that of an adaptive solver, and the distance of two tolerances for
    a bar. For an SDE, that of numeric solves, each four times as fine as the one before, with `bar` of their distances.
    Refined until the bars for θ and for y0 are a tenth of the smallest error among `found`, the gradients that are to
    be judged, or the next grid has more than `most_steps` (two grids that can judge are taken whatever it is).
    """
    exact = cache.get(("closed form", problem, case, path), lambda: closed_form(problem, case, path))
    if exact is not None:
        return Reference(exact, ROUNDING, ROUNDING, ROUNDING)
    if path is None:
        return _ode(problem, case, cache)

    def by_steps(steps: int) -> GradientArrays:
        return cache.get(("fine grid", problem, case, path, steps), lambda: fine_grid(problem, case, path, steps))

    order = strongest(problem).order(problem)
    assert order is not None  # of our own schemes it is known
    coarse, grids = _grids(problem, case, most_steps)
    levels = [by_steps(steps) for steps in (*coarse, *grids[:2])]
    reference = _compare(levels, order)
    for steps in grids[2:]:
        if reference.resolves(found):
            break
        levels.append(by_steps(steps))
        reference = _compare(levels, order)
    return reference


def bar(distances: Sequence[float], order: float) -> float:
    """The bar of the finest of several grids, each four times as fine as the one before.

    `distances` are those of neighbours, the finest pair's last. An error is a sum over the steps of what the scheme
    leaves out, and what it leaves out at one level is independent of the next: with q = 4^order the distance of a
    pair has √(q² − 1) times the size of the finer one's error, which has q^j times that of the finest, j levels down.
    So each distance is an estimate of the finest's size, and Student's quantile for their number, times their root mean
    square, covers it with probability `COVERAGE`. A distance alone wouldn't: at order ½ the error of the finer
    grid is larger than it in a third of all cases. The bar is never below the last distance, nor below rounding.
    """
    q = 4.0**order
    squares = [(d / q**j) ** 2 / (q * q - 1) for j, d in enumerate(reversed(distances)) if math.isfinite(d)]
    if not squares or not math.isfinite(distances[-1]):
        return math.inf
    quantile = float(stdtrit(len(squares), 0.5 * (1 + COVERAGE)))
    return max(quantile * math.sqrt(sum(squares) / len(squares)), distances[-1], ROUNDING)


def _ode(problem: AbstractProblem, case: Case, cache: ReferenceCache) -> Reference:
    def by_tolerance(tolerance: float) -> GradientArrays:
        return cache.get(("adaptive", problem, case, None, tolerance), lambda: adaptive(problem, case, tolerance))

    coarse, fine = (by_tolerance(tolerance) for tolerance in TOLERANCES)
    return Reference(fine, **{part: max(error, ROUNDING) for part, error in relative_errors(coarse, fine).items()})


def _grids(problem: AbstractProblem, case: Case, most_steps: int) -> tuple[list[int], list[int]]:
    """Steps of the grids that help to tell the size of an error, and of those that judge, two at least."""
    steps = case.steps
    while steps < max(COARSEST[problem.commutative], FINER[problem.commutative] * case.steps):
        steps *= 2
    smaller = range(SMALLER[problem.commutative], 0, -1)
    coarse = [steps // 4**k for k in smaller if steps % (4**k * case.observations) == 0]
    grids = [steps, 4 * steps]
    while 4 * grids[-1] <= most_steps:
        grids.append(4 * grids[-1])
    return coarse, grids


def _compare(levels: Sequence[GradientArrays], order: float) -> Reference:
    """The finest, with bars from the distances of the finest pairs."""
    pairs = list(itertools.pairwise(levels))[-ESTIMATES:]
    distances = [relative_errors(coarse, fine) for coarse, fine in pairs]
    return Reference(levels[-1], **{part: bar([d[part] for d in distances], order) for part in distances[0]})
