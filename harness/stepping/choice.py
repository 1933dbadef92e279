"""Which steps a solve takes, and why they can't be adaptive."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from harness.case import Case
from harness.errors import shown
from harness.grid import Grid
from harness.method import AbstractGradientMethod
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.stepping.adaptive import Adaptive

T = TypeVar("T")
Stepping = Grid | Adaptive
"""Fixed steps, or a rule that chooses them."""
FIRST = 100
"""The first step of an adaptive solve is the interval over this, unless one is given."""


def stepping_of(problem: AbstractProblem, scheme: AbstractScheme, case: Case) -> Stepping:
    """The steps of a case, for methods that step by the harness's own rules."""
    grid = Grid.of_case(problem, case)
    if case.stepping == "fixed":
        return grid
    return Adaptive.of(problem, scheme, grid, (case.rtol, case.atol))


def by_stepping(case: Case, *, fixed: T, adaptive: Callable[[float, float], T]) -> T:
    """What a library that steps by its own rules needs for the steps of a case: `fixed`, or `adaptive(rtol, atol)`."""
    return fixed if case.stepping == "fixed" else adaptive(case.rtol, case.atol)


def adaptive_refusal(
    problem: AbstractProblem, scheme: AbstractScheme, method: AbstractGradientMethod, case: Case
) -> str | None:
    """Why the case's steps can't be adaptive, or None."""
    if case.stepping == "fixed":
        return None
    if case.noise != "none" and case.brownian == "own" and not method.path_at_any_time:
        return "adaptive steps ask the path at any time, which the sampler own can't answer: use brownian tree"
    if not case.rtol and not case.atol:
        return "adaptive steps need rtol or atol above 0"
    if scheme.needs_levy_area:
        return f"{scheme.name} needs Lévy areas, which are known over steps of one length only"
    if not problem.commutative:
        return "adaptive steps that skip rejected times converge for commutative noise only"
    order = scheme.order(problem)
    if order is None or (problem.noise != "none" and order < 1):
        return f"adaptive steps need a scheme of order 1 at least, which {scheme.name} isn't here"
    return None


@dataclass(frozen=True)
class Asked:
    """The steps that a caller of `sdeint` or `odeint` asks for.

    The steps of `grid` are the solve's where these are fixed. Else the first step has their mean length.
    """

    grid: Grid
    rtol: float = 0.0
    atol: float = 0.0

    @classmethod
    def of(cls, ts: object, steps: int | None, dt: float | None, rtol: float, atol: float) -> Asked:
        """Adaptive steps where a tolerance is above 0: the first is that of `steps` or `dt`, by default a hundredth of
        the interval. Raises ValueError."""
        for name, given in (("rtol", rtol), ("atol", atol)):
            if not isinstance(given, int | float) or not 0 <= given < math.inf:
                raise ValueError(f"{name} is {shown(given)}; needed: a number, at least 0")
        if steps is None and dt is None and (rtol or atol):
            coarsest = Grid.of(ts, max(1, np.asarray(ts).size - 1), None)
            dt = (coarsest.t1 - coarsest.t0) / FIRST
        return cls(Grid.of(ts, steps, dt), float(rtol), float(atol))

    @property
    def stepping(self) -> str:
        """As in a case."""
        return "adaptive" if self.rtol or self.atol else "fixed"

    @property
    def sampler(self) -> str:
        """That of a case with noise: adaptive steps need a path that is a function of time."""
        return "tree" if self.stepping == "adaptive" else "own"
