"""What the native methods can't do: the reasons that several methods share."""

from __future__ import annotations

from harness.case import Case
from harness.scheme import AbstractScheme
from harness.schemes.alf import ALF

NATIVE_SAMPLERS = ("own", "tree", "shared")
DIFFERENCE = 2.0 ** (-52 / 3)  # of finite differences: the cube root of float64's precision


def irreversible(scheme: AbstractScheme) -> str | None:
    """The scheme must have an inverse in closed form."""
    if scheme.reversible:
        return None
    return f"{scheme.name} can't be stepped back algebraically; use a reversible scheme, such as reversible-heun"


def not_effectively_symmetric(scheme: AbstractScheme) -> str | None:
    """The scheme must be nearly undone by its own step back."""
    if scheme.effectively_symmetric:
        return None
    return f"{scheme.name} isn't effectively symmetric: its step back doesn't undo a step; use a scheme such as ees25"


def not_alf(scheme: AbstractScheme) -> str | None:
    """The scheme must be the asynchronous leapfrog."""
    return None if isinstance(scheme, ALF) else f"this method computes the gradient of alf alone, not of {scheme.name}"


def at_least_one(name: str, value: int | None) -> None:
    """An option that counts something. Raises ValueError."""
    if value is not None and value < 1:
        raise ValueError(f"{name} must be at least 1, given {value}")


def single_precision(case: Case) -> str | None:
    """Differences must be of float64 numbers."""
    return None if case.dtype == "float64" else f"differences of {case.dtype} losses are mostly rounding: use float64"
