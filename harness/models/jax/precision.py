"""A float32 model in float64: the same numbers to start from, all arithmetic in double precision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import jax


class AbstractPrecision(ABC):
    """A way to evaluate a model in float64. Its parameters and its state are of float64 then; other arrays promote."""

    rounding: float
    """What it leaves of the model's own precision, relative."""

    @abstractmethod
    def evaluating(self) -> Generator[None, None, None]:
        """Within it the loss is traced."""


@dataclass(frozen=True)
class Wide(AbstractPrecision):
    """Every array that the loss makes is of float64, and so are its random numbers: these are then others."""

    rounding = 0.0

    @contextmanager
    def evaluating(self) -> Generator[None, None, None]:
        """With x64."""
        with jax.enable_x64(True):
            yield


@dataclass(frozen=True)
class Promoted(AbstractPrecision):
    """What the loss makes or draws is of float32, as in the model itself, and promotes where it meets float64.

    The model's constants are rounded to float32.
    """

    rounding = 1e-7

    @contextmanager
    def evaluating(self) -> Generator[None, None, None]:
        """Without x64, arrays of float64 being allowed all the same."""
        before = jax.config.jax_explicit_x64_dtypes
        jax.config.update("jax_explicit_x64_dtypes", "allow")
        try:
            with jax.enable_x64(False):
                yield
        finally:
            jax.config.update("jax_explicit_x64_dtypes", before)


def precisions() -> tuple[AbstractPrecision, ...]:
    """Those that this JAX has, the better one first."""
    has_option = hasattr(jax.config, "jax_explicit_x64_dtypes")
    return (Wide(), Promoted()) if has_option else (Wide(),)
