"""A benchmarking harness for gradient methods of neural SDEs and ODEs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness import figures as figures
    from harness import jax as jax
    from harness import torch as torch
    from harness.backend import AbstractBackend
    from harness.backend_facts import Style
    from harness.case import Case
    from harness.cluster.connect import dask_executor
    from harness.comparison.changes import Comparison, compare
    from harness.errors import InputError, UnsupportedError
    from harness.frames import load, speedups
    from harness.library import AbstractJaxLibraryMethod, AbstractTorchLibraryMethod
    from harness.method import AbstractGradientMethod, Gradient
    from harness.problem import AbstractProblem
    from harness.registry import Registry
    from harness.report.answer.contest import pareto
    from harness.report.recommendation import recommend
    from harness.scheme import AbstractScheme
    from harness.section import AbstractSection, Measurements
    from harness.session import measure
    from harness.store import Run
    from harness.terms import Terms
    from harness.trial import try_model

_WHERE = {
    "AbstractBackend": "harness.backend",
    "AbstractGradientMethod": "harness.method",
    "AbstractJaxLibraryMethod": "harness.library",
    "AbstractProblem": "harness.problem",
    "AbstractScheme": "harness.scheme",
    "AbstractTorchLibraryMethod": "harness.library",
    "AbstractSection": "harness.section",
    "Case": "harness.case",
    "Comparison": "harness.comparison.changes",
    "Gradient": "harness.method",
    "InputError": "harness.errors",
    "Measurements": "harness.section",
    "Registry": "harness.registry",
    "Run": "harness.store",
    "Style": "harness.backend_facts",
    "Terms": "harness.terms",
    "UnsupportedError": "harness.errors",
    "compare": "harness.comparison.changes",
    "dask_executor": "harness.cluster.connect",
    "load": "harness.frames",
    "measure": "harness.session",
    "pareto": "harness.report.answer.contest",
    "recommend": "harness.report.recommendation",
    "speedups": "harness.frames",
    "try_model": "harness.trial",
}
SUBMODULES = ("torch", "jax", "figures")
"""`import harness` is enough for `harness.torch.model`."""
__all__ = [
    "AbstractBackend",
    "AbstractGradientMethod",
    "AbstractJaxLibraryMethod",
    "AbstractProblem",
    "AbstractScheme",
    "AbstractTorchLibraryMethod",
    "AbstractSection",
    "Case",
    "Comparison",
    "Gradient",
    "InputError",
    "Measurements",
    "Registry",
    "Run",
    "Style",
    "Terms",
    "UnsupportedError",
    "compare",
    "dask_executor",
    "load",
    "measure",
    "pareto",
    "recommend",
    "speedups",
    "try_model",
]


def __getattr__(name: str) -> object:
    """Import on first use: a child that measures torch need not import pandas."""
    if name in SUBMODULES:
        return importlib.import_module(f"harness.{name}")
    if name not in _WHERE:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
