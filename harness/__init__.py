"""A benchmarking harness for gradient methods of neural SDEs and ODEs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.case import Case
    from harness.errors import InputError, UnsupportedError
    from harness.frames import load, speedups
    from harness.method import AbstractGradientMethod, Gradient
    from harness.problem import AbstractProblem
    from harness.registry import Registry
    from harness.scheme import AbstractScheme
    from harness.section import AbstractSection, Measurements
    from harness.terms import Terms

_WHERE = {
    "AbstractGradientMethod": "harness.method",
    "AbstractProblem": "harness.problem",
    "AbstractScheme": "harness.scheme",
    "AbstractSection": "harness.section",
    "Case": "harness.case",
    "Gradient": "harness.method",
    "InputError": "harness.errors",
    "Measurements": "harness.section",
    "Registry": "harness.registry",
    "Terms": "harness.terms",
    "UnsupportedError": "harness.errors",
    "load": "harness.frames",
    "speedups": "harness.frames",
}
__all__ = [
    "AbstractGradientMethod",
    "AbstractProblem",
    "AbstractScheme",
    "AbstractSection",
    "Case",
    "Gradient",
    "InputError",
    "Measurements",
    "Registry",
    "Terms",
    "UnsupportedError",
    "load",
    "speedups",
]


def __getattr__(name: str) -> Any:
    """Import on first use: a child that measures torch need not import pandas."""
    if name not in _WHERE:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)
