"""Gradients on disk, each known by a digest of all that it depends on."""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import diffrax
import jax
import numpy as np

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.problem import AbstractProblem

Found = TypeVar("Found", bound=GradientArrays | None)
Question = tuple[Any, ...]
"""(kind, problem, case, path, and what else the computation takes)."""

_DEPENDS_ON = (
    "reference.adaptive",
    "reference.closed_form",
    "reference.fine_grid",
    "random",
    "initial",
    "problem",
    "scheme",
    "terms",
    "correction",
    "brownian.path",
)


class ReferenceCache:
    """Gradients by the question that they answer.

    The code is part of the digest (the reference, the path, the problem and its bases, the schemes), and so are the
    versions of jax, diffrax and numpy: a stale entry can't be met. A damaged file is computed anew.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_cache_folder()

    def get(self, question: Question, compute: Callable[[], Found]) -> Found:
        """The answer, computed and stored where it isn't there or can't be read. That there is none is not stored."""
        path = self.folder / f"{cache_key(*question)}.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                return cast(Found, GradientArrays(float(data["loss"]), data["theta"], data["y0"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            gradient = compute()
        if gradient is None:
            return gradient
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
            with temporary.open("wb") as file:
                np.savez(file, loss=gradient.loss, theta=gradient.theta, y0=gradient.y0)
            temporary.replace(path)
        except OSError:
            pass  # A cache that can't be written costs time, not results.
        return gradient


def default_cache_folder() -> Path:
    """$GRADIENT_HARNESS_CACHE, else the user's cache folder (XDG)."""
    own = os.environ.get("GRADIENT_HARNESS_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "gradient-harness" / "references"


def cache_key(kind: str, problem: AbstractProblem, case: Case, path: SharedPath | None, *rest: Any) -> str:
    """The digest of all that a reference depends on. Method, scheme and precision are not among it.

    Nor is the case's number of steps, which the numeric solves are told in `rest`; the closed form reads the path at
    the observations alone, through grids whose odd part the steps decide.
    """
    odd = case.steps // (case.steps & -case.steps)
    parts = [*_code(type(problem)), jax.__version__, diffrax.__version__, np.__version__, kind]
    parts += [repr(item) for item in (problem, path, case.batch, case.observations, odd, case.seed, *rest)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@functools.cache
def _code(problem: type[AbstractProblem]) -> tuple[str, ...]:
    """The source of everything of ours that takes part."""
    names = [f"harness.{name}" for name in _DEPENDS_ON]
    modules = [importlib.import_module(name) for name in names]
    package = Path(__file__).parent.parent
    shared = [*sorted((package / "schemes").glob("*.py")), *sorted((package / "problems").glob("_*.py"))]
    bases = [inspect.getmodule(base) for base in problem.__mro__ if issubclass(base, AbstractProblem)]
    sources = [inspect.getsource(module) for module in (*modules, *filter(None, bases))]
    return (*sources, *(path.read_text(encoding="utf-8") for path in shared))
