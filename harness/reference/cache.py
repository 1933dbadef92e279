"""Gradients on disk, each known by a digest of all that it depends on."""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from harness.brownian.path import SharedPath
from harness.cache_folder import default_cache_folder
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.reference.sources import sources

Found = TypeVar("Found")
Question = tuple[str, AbstractProblem, Case, SharedPath | None, *tuple[object, ...]]
"""(kind, problem, case, path, and what else the computation takes)."""

_COMPUTES = ("ode", "sde", "closed_form")
"""The modules beside this one that compute references."""
_LIBRARIES = ("jax", "jaxlib", "diffrax", "equinox", "numpy")


@functools.cache
def version(library: str) -> str:
    """The installed version; to find it takes longer than to find an answer."""
    return metadata.version(library)


class ReferenceCache:
    """Gradients by the question that they answer.

    The code is part of the digest (that of the reference, of the problem and its bases, and all that these import),
    and so are the versions of the libraries: a stale entry can't be met. A damaged file is computed anew.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_cache_folder()

    def get(self, question: Question, compute: Callable[[], Found], kind: type = GradientArrays) -> Found:
        """The answer, computed and stored where it isn't there or can't be read. That there is none is not stored.

        `kind` is the answer's class, a dataclass of numbers and arrays.
        """
        path = self.folder / f"{cache_key(*question)}.npz"
        stored = _stored(path, kind)
        if stored is not None:
            return cast(Found, stored)
        answer = compute()
        if answer is None:
            return answer
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
            with temporary.open("wb") as file:
                np.savez(file, **{name: value for name, value in vars(answer).items() if value is not None})
            temporary.replace(path)
        except OSError:
            pass  # A cache that can't be written costs time, not results.
        return answer


def _stored(path: Path, kind: type) -> object:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            return kind(**{name: data[name] if data[name].ndim else float(data[name]) for name in data})
    except Exception:  # There is none, or whatever a damaged archive makes numpy and zipfile raise.
        return None


def cache_key(kind: str, problem: AbstractProblem, case: Case, path: SharedPath | None, *rest: object) -> str:
    """The digest of all that a reference depends on. Method, scheme and precision are not among it.

    Nor is the case's number of steps: the numeric solves have theirs in `rest`, and the closed form reads the path at
    the observations alone.
    """
    versions = [version(library) for library in _LIBRARIES]
    parts = [*_code(type(problem)).values(), *versions, kind]
    y0, theta = initial_values(problem, case.batch, case.seed)
    parts += [hashlib.sha256(array.tobytes()).hexdigest() for array in (y0, *(theta[name] for name in sorted(theta)))]
    parts += [repr(item) for item in (problem, path, case.batch, case.observations, case.seed, *rest)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@functools.cache
def _code(problem: type[AbstractProblem]) -> dict[str, str]:
    """The source of everything of ours that takes part, by module."""
    package = __name__.rpartition(".")[0]
    modules = [importlib.import_module(f"{package}.{name}") for name in _COMPUTES]
    bases = [inspect.getmodule(base) for base in problem.__mro__ if issubclass(base, AbstractProblem)]
    return sources([*modules, *filter(None, bases)])
