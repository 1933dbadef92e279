"""A small case in one line, and the schemes to try a method with."""

from __future__ import annotations

from typing import Any

from harness.case import Case
from harness.registry import Registry
from harness.supported import with_scheme

DEFAULTS: dict[str, Any] = {
    "problem": "neural",
    "noise": "diagonal",
    "calculus": "stratonovich",
    "scheme": "heun",
    "method": "torch/backprop",
    "dim": 3,
    "batch": 4,
    "steps": 16,
    "observations": 1,
    "dtype": "float64",
    "device": "cpu",
    "threads": 1,
    "brownian": "shared",
    "seed": 3,
}


def small_case(**axes: Any) -> Case:
    """The defaults, with these axes changed."""
    return Case(**{**DEFAULTS, **axes})


def usual_schemes(registry: Registry, case: Case) -> list[str]:
    """The method's default scheme for the case; a second one too where the method is for some schemes only.

    Empty where the method can't do the case with any scheme.
    """
    method, problem = registry.method(case.method), registry.problem_of(case)
    names = dict.fromkeys((*method.default_schemes, *registry.schemes))
    fitting = [name for name in names if with_scheme(problem, registry.schemes[name], method, case) is None]
    selective = any(method.unsuited(scheme) for scheme in registry.schemes.values())
    return fitting[: 2 if selective else 1]
