"""Modules that are imported when they are first used.

The classes of methods and backends are read by the parent, by the report and by the command line, none of which may
import torch or JAX. A file that declares such a class says at its top what its class needs once it runs:

    if TYPE_CHECKING:
        import jax
        from harness.methods.jax import _solve
    else:
        jax, _solve = lazily("jax", "harness.methods.jax._solve")

PEP 810 makes this a statement, `lazy import jax`, from Python 3.15 on.
"""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """A module by its name, imported when an attribute is asked for.

    From then on the module's own dictionary is this object's too, so that an attribute is found as fast as the module's
    and changes with it.
    """

    __slots__ = ("__dict__", "_lazy_name")

    def __init__(self, name: str) -> None:
        """`name` as in an import, absolute."""
        self._lazy_name = name

    def __getattr__(self, attribute: str) -> Any:
        """The module's own; ImportError where it isn't installed."""
        module = importlib.import_module(self._lazy_name)
        self.__dict__ = module.__dict__
        return getattr(module, attribute)

    def __repr__(self) -> str:
        """By name: to show it imports nothing."""
        return f"<lazily {self._lazy_name}>"


def lazily(*names: str) -> tuple[LazyModule, ...]:
    """One for each name: `(numpy,) = lazily("numpy")`."""
    return tuple(LazyModule(name) for name in names)
