"""The gradient of an ODE's solution, with bars that cover the error of the gradient and not only of the solution."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_errors
from harness.grid import Grid
from harness.problem import AbstractProblem
from harness.reference.adaptive_grid import adaptive_grid
from harness.reference.bars import ROUNDING, Reference
from harness.reference.cache import ReferenceCache
from harness.reference.dop853 import Dop853
from harness.reference.grid_solve import FineGrid, grid_solve
from harness.reference.loss_differences import LossDifferences, loss_differences
from harness.scheme import AbstractScheme
from harness.schemes.dopri5 import Dopri5

SAFETY = 2.0
"""A bar is so many times the largest distance of the gradient from those that it is compared with."""
COARSEST = 2**8
"""Equal steps, at least, and at least twice as many as the case has."""
FINEST = 2**14
"""Equal steps, at most, unless twice the case's are more."""

SCHEME = Dop853()  # one instance, since a compiled chunk is known by its scheme
_OTHER = Dopri5()


def ode(
    problem: AbstractProblem,
    case: Case,
    cache: ReferenceCache,
    *,
    found: Sequence[GradientArrays] = (),
    most_steps: int,
) -> Reference:
    """The gradient of the solve at steps that are controlled for the sensitivities too, each cut in two.

    Three computations stand beside it, whose errors are independent of its own: the same steps uncut, steps of one
    length, and differences of the loss. Each bar is `SAFETY` times the largest distance from the first two, and never
    less than the distance from the third. Steps of one length get finer until the bars resolve the errors of `found`,
    or there would be more than `FINEST` or `most_steps` of them. Raises RuntimeError where there is no solution.
    """

    @functools.cache
    def adapted() -> FineGrid:
        return adaptive_grid(problem, case)

    def solved(kind: str, grid_of: Callable[[], FineGrid], *rest: int) -> GradientArrays:
        return cache.get((kind, problem, case, None, *rest), lambda: grid_solve(problem, case, SCHEME, grid_of()))

    whole = solved("adapted steps", adapted)
    halved = solved("halved steps", lambda: adapted().halved())
    differences = cache.get(
        ("loss differences", problem, case, None), lambda: loss_differences(problem, case), LossDifferences
    )
    ends = Grid.of_case(problem, case).observed_times()

    def equal(steps: int) -> GradientArrays:
        return solved("equal steps", lambda: FineGrid.equal(problem, steps, ends), steps)

    misses = differences.misses(halved)
    return compared(whole, halved, equal, case, found=found, most_steps=most_steps, misses=misses)


def compared(
    whole: GradientArrays,
    halved: GradientArrays,
    equal: Callable[[int], GradientArrays],
    case: Case,
    *,
    found: Sequence[GradientArrays] = (),
    most_steps: int,
    misses: Mapping[str, float] | None = None,
) -> Reference:
    """The gradient at controlled steps that are cut in two, `halved`, with bars from its distances from the others.

    `whole` is the gradient at these steps uncut, `equal(steps)` that at steps of one length. Each bar is `SAFETY` times
    the larger distance, and never less than what `misses` has. Steps of one length get finer until the bars resolve the
    errors of `found`, or there would be more than `FINEST` or `most_steps` of them. Raises RuntimeError where one of
    the first two isn't finite.
    """

    def beside(equal: GradientArrays) -> Reference:
        """An equal grid that is too coarse to stay finite says nothing."""
        others = [relative_errors(other, halved) for other in (whole, equal) if other.finite()]
        bars = {
            part: max(SAFETY * max(distance[part] for distance in others) + ROUNDING, (misses or {}).get(part, 0.0))
            for part in others[0]
        }
        return Reference(halved, **bars)

    if not whole.finite() or not halved.finite():
        raise RuntimeError("the reference's gradient isn't finite")
    steps = case.steps
    while steps < max(COARSEST, 2 * case.steps):
        steps *= 2
    while True:
        reference = beside(equal(steps))
        if reference.resolves(found) or 4 * steps > min(FINEST, most_steps):
            return reference
        steps *= 4


def refined(
    by: Callable[[AbstractScheme, int], GradientArrays],
    problem: AbstractProblem,
    case: Case,
    *,
    found: Sequence[GradientArrays] = (),
    most_steps: int,
) -> Reference:
    """The gradient on the finest of several grids of equal steps, for what steps can't be controlled for.

    `by(scheme, steps)` solves with so many steps, or a few more. The bar is `SAFETY` times the larger of two distances:
    from the grid before it, and from another scheme on the same grid. Refined, four times as fine each, until the bars
    resolve the errors of `found` or there would be more than `FINEST` or `most_steps` steps. A feature of f that is
    shorter than the finest steps isn't seen: steps aren't controlled. Raises RuntimeError where there is no solution.
    """
    del problem
    steps = case.steps
    while steps < max(COARSEST, 2 * case.steps):
        steps *= 2
    before = by(SCHEME, steps)
    while True:
        steps *= 4
        finest, other = by(SCHEME, steps), by(_OTHER, steps)
        if not finest.finite():
            raise RuntimeError("the reference's gradient isn't finite")
        distances = [relative_errors(one, finest) for one in (before, other) if one.finite()]
        bars = {part: SAFETY * max(d[part] for d in distances) + ROUNDING for part in distances[0]}
        reference = Reference(finest, **bars)
        if reference.resolves(found) or 4 * steps > min(FINEST, most_steps):
            return reference
        before = finest
