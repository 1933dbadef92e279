"""From a suite to its cases: the product of the grid, and which of its cases can't be done."""

from __future__ import annotations

import fnmatch
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.case import AXES, Case
from harness.columns import COLUMNS
from harness.errors import InputError, one_of, shown
from harness.grid import canonical_observations
from harness.limits import MOST_CASES
from harness.machine import Machine
from harness.models.facts import FILLED
from harness.registry import Registry
from harness.suite import Grid, Suite
from harness.supported import is_for, whatever_the_scheme, with_scheme


@dataclass(frozen=True)
class Plan:
    """The cases to measure, and those that can't be, each with its reason. No case appears twice."""

    cases: tuple[Case, ...]
    unsupported: tuple[tuple[Case, str], ...]

    def only(self, filters: Sequence[str]) -> Plan:
        """The cases that match every `axis=glob`. Raises InputError where an axis is unknown or no case is left."""
        pairs = [parse_filter(text) for text in filters]

        def wanted(case: Case) -> bool:
            return all(matches(getattr(case, axis), glob) for axis, glob in pairs)

        plan = Plan(
            tuple(case for case in self.cases if wanted(case)),
            tuple((case, reason) for case, reason in self.unsupported if wanted(case)),
        )
        if not plan.cases and not plan.unsupported:
            raise InputError("--only", "", f"{shown(' '.join(filters))} leaves nothing of the suite")
        return plan

    def refusing(self, reason: Callable[[Case], str | None]) -> Plan:
        """The plan in which each case for which `reason` returns a sentence is unsupported."""
        reasons = {case: reason(case) for case in self.cases}
        return Plan(
            tuple(case for case, why in reasons.items() if why is None),
            (*self.unsupported, *((case, why) for case, why in reasons.items() if why is not None)),
        )


def merged(plans: Sequence[Plan]) -> Plan:
    """The plan for several machines: a case is measured if one of them can measure it."""
    cases = dict.fromkeys(case for plan in plans for case in plan.cases)
    refused: dict[Case, str] = {}
    for plan in plans:
        for case, reason in plan.unsupported:
            if case not in cases:
                refused.setdefault(case, reason)
    return Plan(tuple(cases), tuple(refused.items()))


def parse_filter(text: str) -> tuple[str, str]:
    """The axis and the glob of `axis=glob`. Raises InputError."""
    axis, equals, glob = text.partition("=")
    if not equals or axis not in AXES:
        raise InputError("--only", axis, "not of the form axis=glob", one_of(AXES, axis))
    return axis, glob


def matches(value: object, glob: str) -> bool:
    """Whether the value of an axis matches a glob."""
    return fnmatch.fnmatchcase(str(value), glob)


def make_plan(suite: Suite, path: Path, registry: Registry, machine: Machine) -> Plan:
    """Expand the grid. Raises InputError where a method, problem or scheme is unknown, or if cases are too many."""
    cases: dict[Case, None] = {}
    refused: dict[Case, str] = {}
    products = [_axes(grid, index, path, registry) for index, grid in enumerate(suite.grid)]
    _check_size(products, path)
    for axes in products:
        for case in _expand(axes, suite.seed, registry):
            case, reason = _settle(case, registry, machine)
            if reason is not None:
                refused[case] = reason
                continue
            cases[case] = None
    return Plan(tuple(cases), tuple(refused.items()))


Axes = Mapping[str, Sequence[Any]]
"""The different values of each axis of a case."""


def _axes(grid: Grid, index: int, path: Path, registry: Registry) -> Axes:
    """One product with all names looked up. An empty scheme stands for the method's default."""
    where = f"grid.{index}"
    for name in grid.scheme or ():
        if name not in registry.schemes:
            raise InputError(path, f"{where}.scheme", f"{shown(name)} is no scheme", one_of(registry.schemes, name))
    values = {axis: getattr(grid, axis) for axis in AXES} | {
        "problem": [name for spec in grid.problem for name in _problems(spec, path, f"{where}.problem", registry)],
        "method": [name for pattern in grid.method for name in _methods(pattern, path, f"{where}.method", registry)],
        "scheme": grid.scheme or ("",),
    }
    return {axis: tuple(dict.fromkeys(values[axis])) for axis in AXES}


LEFT_OUT = {axis: (COLUMNS[axis].default,) for axis in FILLED} | {"noise": ("none",)}
"""The values of these axes where a suite with a model leaves them out."""


def _check_size(products: Sequence[Axes], path: Path) -> None:
    """The number of cases is known before they are made: too many would take minutes and gigabytes to plan."""
    counts = {f"grid.{n}": math.prod(len(values) for values in axes.values()) for n, axes in enumerate(products)}
    counts["grid"] = sum(counts.values())
    for key, count in counts.items():
        if count > MOST_CASES:
            allowed = f"at most {MOST_CASES} are allowed in a suite: shorten the lists or split the suite"
            raise InputError(path, key, f"makes {count} cases", allowed)


def _expand(axes: Axes, seed: int, registry: Registry) -> Iterator[Case]:
    """Every point of one product. A model fills in the axes that it decides itself and that the suite leaves out."""
    outer = [axis for axis in axes if axis not in ("method", "scheme")]
    left_out = [axis for axis in FILLED if axes[axis] == LEFT_OUT[axis]]
    for values in itertools.product(*(axes[axis] for axis in outer)):
        point = dict(zip(outer, values, strict=True))
        model = registry.models.get(point["problem"])
        if model is not None:
            point |= {axis: getattr(model, axis) for axis in left_out}
        if point["noise"] == "none":
            # An ODE has neither calculus nor noise: one name for all, so that it isn't measured twice.
            point |= {"calculus": "stratonovich", "brownian": "own"}
        if point["stepping"] == "fixed":
            point |= {"rtol": 0.0, "atol": 0.0}  # they have no effect: the same case
        for method, scheme in itertools.product(axes["method"], axes["scheme"]):
            yield Case(**point, method=method, scheme=scheme, seed=seed)


def _methods(pattern: str, path: Path, key: str, registry: Registry) -> list[str]:
    try:
        return registry.match_methods(pattern)
    except ValueError as error:
        raise InputError(path, key, str(error)) from error


def _problems(spec: str, path: Path, key: str, registry: Registry) -> tuple[str, ...]:
    try:
        return registry.problems_named(spec)
    except ValueError as error:
        raise InputError(path, key, str(error)) from error


def _settle(case: Case, registry: Registry, machine: Machine) -> tuple[Case, str | None]:
    """The case with its scheme filled in, and why it can't be done, or None."""
    case = _canonical(case, registry)
    method = registry.method(case.method)
    schemes = [case.scheme] if case.scheme else [s for s in method.default_schemes if s in registry.schemes]
    first_reason = whatever_the_scheme(case, method, machine)
    if first_reason is not None:
        return replace(case, scheme=schemes[0]), first_reason
    refused: list[tuple[Case, str | None]] = []
    for scheme in schemes:
        candidate = replace(case, scheme=scheme)
        reason = _reason(candidate, registry)
        if reason is None:
            return candidate, None
        refused.append((candidate, reason))
    # Why a scheme that the equation allows can't be used says more than that another one isn't for the equation.
    return next((one for one in refused if _is_for_the_equation(one[0], registry)), refused[0])


def _is_for_the_equation(case: Case, registry: Registry) -> bool:
    try:
        return is_for(registry.schemes[case.scheme], registry.problem_of(case))
    except ValueError:
        return False


def _canonical(case: Case, registry: Registry) -> Case:
    """The case with a number of observations where their times are equally spaced, so that a case has one name."""
    if isinstance(case.observations, int):
        return case
    try:
        problem = registry.problem_of(case)
    except ValueError:
        return case
    return replace(case, observations=canonical_observations(problem.t0, problem.t1, case.observations))


def _reason(case: Case, registry: Registry) -> str | None:
    """Why the case can't be done with its scheme, or None: by the problem, the scheme, the stepping or the method."""
    try:
        problem = registry.problem_of(case)
    except ValueError as error:
        return str(error)
    scheme, method = registry.schemes[case.scheme], registry.method(case.method)
    return with_scheme(problem, scheme, method, case)
