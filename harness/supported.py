"""Which cases can be measured: the one place that gives the reason if a case can't, before anything is built."""

from __future__ import annotations

from harness.case import Case
from harness.grid import Grid
from harness.machine import Machine
from harness.method import AbstractGradientMethod
from harness.plugin_checks import reason_of
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.stepping import adaptive_refusal


def whatever_the_scheme(case: Case, method: AbstractGradientMethod, machine: Machine) -> str | None:
    """Why the case can't be done with any scheme, or None. Comes before the reasons of a single scheme."""
    if isinstance(case.observations, int) and case.steps % case.observations:
        return f"{case.observations} equally spaced observations don't divide {case.steps} steps"
    if case.brownian not in method.samplers:
        return f"brownian: {case.brownian} is not supported by {method.name}; allowed: {', '.join(method.samplers)}"
    if case.stepping not in method.steppings:
        return f"stepping: {case.stepping} is not supported by {method.name}; allowed: {', '.join(method.steppings)}"
    return machine.unsupported(case, method.framework)


def is_for(scheme: AbstractScheme, problem: AbstractProblem) -> bool:
    """Whether the scheme solves such an equation at all, by whatever method."""
    return reason_of(scheme, "unsupported", lambda: scheme.unsupported(problem)) is None


def with_scheme(
    problem: AbstractProblem, scheme: AbstractScheme, method: AbstractGradientMethod, case: Case
) -> str | None:
    """Why the case can't be done with this scheme, or None: by the problem, the scheme, the stepping or the method."""
    unsuited = reason_of(problem, "unsuited", lambda: problem.unsuited(method))
    if unsuited is not None:
        return unsuited
    try:
        Grid.of_case(problem, case)
    except ValueError as error:
        return str(error)
    return (
        reason_of(scheme, "unsupported", lambda: scheme.unsupported(problem))
        or reason_of(scheme, "adaptive steps", lambda: adaptive_refusal(problem, scheme, method, case))
        or reason_of(method, "unsuited", lambda: method.unsuited(scheme))
        or reason_of(method, "unsupported", lambda: problem.refusal(method, case))
    )
