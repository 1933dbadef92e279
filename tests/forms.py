"""Every registered problem in every form that it has: what the tests of problems run over."""

from __future__ import annotations

import itertools

from harness.case import CALCULI, NOISES
from harness.problem import AbstractProblem
from harness.registry import Registry

DIMS = (3, 4)
"""The first of them that a problem takes is used: 3 for most, 4 where variables come in pairs."""


def forms(registry: Registry) -> list[AbstractProblem]:
    """Every problem in every noise and calculus that it has; an ODE once, since it has no calculus."""
    found = []
    for cls, noise, calculus in itertools.product(registry.problems.values(), NOISES, CALCULI):
        if cls.unsupported(noise, calculus) is None and (noise, calculus) != ("none", "ito"):
            found.append(_smallest(cls, noise, calculus))
    return found


def label(problem: AbstractProblem) -> str:
    """For the ids of tests."""
    return f"{problem.name}-{problem.noise}-{problem.calculus}"


def _smallest(cls: type[AbstractProblem], noise: str, calculus: str) -> AbstractProblem:
    reasons = []
    for dim in DIMS:
        try:
            return cls(noise=noise, calculus=calculus, dim=dim)
        except ValueError as error:
            reasons.append(str(error))
    raise AssertionError(f"{cls.name} takes none of the dimensions {DIMS}: {reasons}")
