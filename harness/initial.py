"""The initial value and the parameters of a block: drawn once, the same arrays for every method and reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.errors import ProblemError
from harness.problem import AbstractProblem
from harness.random import Normals


@dataclass(frozen=True)
class Values:
    """y0, (batch, dim), and θ by name, float64 and read-only."""

    y0: np.ndarray
    theta: dict[str, np.ndarray]


def draw(problem: AbstractProblem, batch: int, seed: int) -> Values:
    """What the problem's `initial` and `parameters` give for a seed. Raises ProblemError where it is malformed."""
    y0 = _numbers(f"initial() of {problem.name}", problem.initial(Normals(seed, 1), batch))
    if y0.shape != (batch, problem.dim):
        raise ProblemError(
            f"initial() of {problem.name} gives shape {y0.shape}; needed: (batch, dim) = {(batch, problem.dim)}"
        )
    theta = problem.parameters(Normals(seed, 2))
    if not isinstance(theta, Mapping) or not all(isinstance(name, str) for name in theta):
        raise ProblemError(f"parameters() of {problem.name} gives {type(theta).__name__}; needed: a dict of arrays")
    return Values(y0, {name: _numbers(f"parameter {name} of {problem.name}", value) for name, value in theta.items()})


def with_values(problem: AbstractProblem, values: Values) -> AbstractProblem:
    """The problem with the values that its block has."""
    for array in (values.y0, *values.theta.values()):
        array.flags.writeable = False
    return replace(problem, values=values)


def initial_values(problem: AbstractProblem, batch: int, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """y0, (batch, dim), and θ by name, float64: those that the problem was given, else what the seed draws."""
    given = problem.values
    if given is None or len(given.y0) != batch:
        given = draw(problem, batch, seed)
    return given.y0, dict(given.theta)


def _numbers(what: str, value: object) -> np.ndarray:
    """A copy in float64. Integers and float32 are taken; what isn't real and finite is not."""
    try:
        array = np.array(value)
    except Exception as error:
        raise ProblemError(f"{what} can't be read as an array: {type(error).__name__}: {error}") from error
    if array.dtype.kind not in "fiu":
        raise ProblemError(f"{what} has dtype {array.dtype}; needed: real numbers")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ProblemError(f"{what} isn't finite")
    return array
