"""What the native methods can't do, said once."""

from __future__ import annotations

from collections.abc import Iterator

from harness.case import Case
from harness.scheme import AbstractReversibleScheme

NATIVE_SAMPLERS = ("own", "tree", "shared")
REVERSIBLE = "reversible-heun"
EES = ("ees25", "ees27")
ALF = "alf"
DIFFERENCE = 2.0 ** (-52 / 3)  # of finite differences: the cube root of float64's precision


def whole_observations(case: Case) -> str | None:
    """Save times must lie on the grid of steps."""
    if case.steps % case.observations:
        return f"{case.observations} observations don't divide {case.steps} steps"
    return None


def irreversible(case: Case) -> str | None:
    """The scheme must have an inverse in closed form. Built-in and third-party ones are known once they are loaded."""
    names = {scheme.name for scheme in _final_subclasses(AbstractReversibleScheme)}
    if case.scheme not in names:
        return f"{case.scheme} can't be stepped back algebraically; what can is {', '.join(sorted(names))}"
    return None


def not_effectively_symmetric(case: Case) -> str | None:
    """The scheme must be nearly undone by its own step back."""
    return None if case.scheme in EES else f"a step back undoes {' and '.join(EES)} nearly, not {case.scheme}"


def not_alf(case: Case) -> str | None:
    """The scheme must be the asynchronous leapfrog."""
    return None if case.scheme == ALF else f"it is the gradient of {ALF} alone, not of {case.scheme}"


def at_least_one(name: str, value: int | None) -> None:
    """An option that counts something. Raises ValueError."""
    if value is not None and value < 1:
        raise ValueError(f"{name} must be at least 1, given {value}")


def single_precision(case: Case) -> str | None:
    """Differences must be of float64 numbers."""
    return None if case.dtype == "float64" else f"differences of {case.dtype} losses are mostly rounding: use float64"


def _final_subclasses(cls: type[AbstractReversibleScheme]) -> Iterator[type[AbstractReversibleScheme]]:
    for child in cls.__subclasses__():
        if not child.__name__.startswith("Abstract"):
            yield child
        yield from _final_subclasses(child)
