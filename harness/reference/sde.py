"""The gradient of an SDE's solution on a path, from ever finer grids of that path."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import stdtrit

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_errors
from harness.grid import Grid
from harness.problem import AbstractProblem
from harness.reference.bars import ROUNDING, Reference
from harness.reference.cache import ReferenceCache
from harness.reference.grid_solve import CHUNK, FineGrid, grid_solve
from harness.scheme import AbstractScheme, Noise
from harness.schemes.heun import Heun
from harness.schemes.midpoint import Midpoint
from harness.schemes.slowrk import SlowRK

COARSEST = {True: 2**9, False: 2**11}
"""Steps of the coarsest grid that judges, at least, by whether the noise commutes; and at least so many times the
case's:"""
FINER = {True: 2, False: 4}
TOGETHER = 2**17
"""Numbers of the noise that are made at once, for many chunks of steps: a chunk alone is mostly overhead."""
ESTIMATES = 3
"""Distances of neighbouring grids that a bar is made of, at the most."""
COVERAGE = 0.95
"""Of the bars, were errors normal."""
SLOWEST = 10.0
"""What is left of an error that hardly falls is taken for so many times the last distance."""
DOUBTFUL = 2.0
"""The distance of two schemes' gradients may be so many times the sum of their bars."""

_SLOWRK, _HEUN, _MIDPOINT = SlowRK(), Heun(), Midpoint()  # one each, since a compiled chunk is known by its scheme


def strongest(problem: AbstractProblem) -> AbstractScheme:
    """Of the Stratonovich form: order 1.5 through the space–time Lévy area where noise commutes, else Heun's ½."""
    return _SLOWRK if problem.commutative else _HEUN


def path_solve(
    problem: AbstractProblem, case: Case, path: SharedPath, steps: int, scheme: AbstractScheme | None = None
) -> GradientArrays:
    """The gradient of the solve on the path in so many equal steps, of which those with an observation inside are cut.

    By the strongest scheme if none is given.
    """
    scheme = scheme or strongest(problem)
    grid = FineGrid.equal(problem, steps, Grid.of_case(problem, case).observed_times())

    rows = CHUNK * max(1, TOGETHER // (CHUNK * case.batch * problem.noise_dim))

    @functools.lru_cache(maxsize=1)
    def together(first: int) -> tuple[np.ndarray, np.ndarray]:
        return path.between(grid.times[first : first + rows + 1])

    def noise(start: int, stop: int) -> Noise[np.ndarray]:
        first = start - start % rows
        W, H = (x[start - first : stop - first] for x in together(first))
        return (W, H) if scheme.needs_levy_area else W

    return grid_solve(problem, case, scheme, grid, noise)


def sde(
    problem: AbstractProblem,
    case: Case,
    path: SharedPath,
    cache: ReferenceCache,
    *,
    found: Sequence[GradientArrays] = (),
    most_steps: int,
) -> Reference:
    """The gradient on a path, refined as `refined` has it, from solves in JAX that are kept in the cache."""

    def by(scheme: AbstractScheme, steps: int) -> GradientArrays:
        question = ("path solve", problem, case, path, scheme.name, steps)
        return cache.get(question, lambda: path_solve(problem, case, path, steps, scheme))

    return refined(by, problem, case, found=found, most_steps=most_steps)


def refined(
    by: Callable[[AbstractScheme, int], GradientArrays],
    problem: AbstractProblem,
    case: Case,
    *,
    found: Sequence[GradientArrays] = (),
    most_steps: int,
) -> Reference:
    """The gradient on the finest of several grids, each four times as fine as the one before, with `bar` of them.

    `by(scheme, steps)` solves the problem's Stratonovich form with so many steps, or a few more. Refined until the
    bars for θ and for y0 resolve the errors of `found`, or the next grid has more than `most_steps` (a coarse grid
    and two that judge are always solved). The midpoint scheme, another one, must come to the same gradient within
    what its own grids say of its error; where it doesn't, the bar is the distance. So it is where the noise is said
    to commute and doesn't: SlowRK then converges to the wrong solution.
    """
    coarse, grids = _grids(problem, case, most_steps)
    first = [*coarse, *grids[:2]]
    second = _compare([by(_MIDPOINT, steps) for steps in first], _order(_MIDPOINT, problem))
    scheme = strongest(problem)
    levels = [by(scheme, steps) for steps in first]
    reference = _doubted(_compare(levels, _order(scheme, problem)), second)
    for steps in grids[2:]:
        if reference.resolves(found):
            break
        levels.append(by(scheme, steps))
        reference = _doubted(_compare(levels, _order(scheme, problem)), second)
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


def still_to_come(distances: Sequence[float], order: float) -> float:
    """What the last of the distances leaves where they don't fall as they should; 0 where they do.

    They don't where all grids are too coarse: a stiff drift, large noise, a drift that is next to nothing until late.
    Distances that fall at less than half the order are taken to go on falling as slowly. Where the last one is larger
    than the one before it there is no bound; at order ½ that happens by chance, and `SLOWEST` times the last it is.
    """
    if len(distances) < 2 or not distances[-1] > 100 * ROUNDING:
        return 0.0
    before, last = distances[-2:]
    if last <= before / 2**order:
        return 0.0
    if last < before:
        return last * min(SLOWEST, last / (before - last))
    return math.inf if order >= 1 else SLOWEST * last


def _order(scheme: AbstractScheme, problem: AbstractProblem) -> float:
    order = scheme.order(problem)
    assert order is not None  # of our own schemes it is known
    return order


def _grids(problem: AbstractProblem, case: Case, most_steps: int) -> tuple[list[int], list[int]]:
    """Steps of the grid that helps to tell the size of an error, and of those that judge, two at least.

    All are powers of two, on which the path is computed with the least work.
    """
    steps = 4
    while steps < max(COARSEST[problem.commutative], FINER[problem.commutative] * case.steps):
        steps *= 2
    coarse = [steps // 4]
    grids = [steps, 4 * steps]
    while 4 * grids[-1] <= most_steps:
        grids.append(4 * grids[-1])
    return coarse, grids


def _compare(levels: Sequence[GradientArrays], order: float) -> Reference:
    """The finest, with bars from the distances of the finest pairs.

    At order 1½ the coarsest of the grids tells whether they converge, and no more: its error has other parts.
    """
    distances = [relative_errors(coarse, fine) for coarse, fine in itertools.pairwise(levels)]
    counted = (distances[1:] if order > 1 and len(levels) > 2 else distances)[-ESTIMATES:]
    bars = {
        part: max(bar([d[part] for d in counted], order), still_to_come([d[part] for d in distances], order))
        for part in distances[0]
    }
    return Reference(levels[-1], **bars)


def _doubted(reference: Reference, second: Reference) -> Reference:
    """The reference, its bars no smaller than its distance from a second one, where theirs don't explain that."""
    bars = {}
    for part, distance in relative_errors(second.gradient, reference.gradient).items():
        own = getattr(reference, part)
        explained = DOUBTFUL * (own + getattr(second, part))
        bars[part] = own if distance <= explained else max(own, distance)
    return Reference(reference.gradient, **bars)
