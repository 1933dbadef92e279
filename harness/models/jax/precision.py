"""A float32 model in float64: the same numbers to start from, all arithmetic in double precision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import ClassVar

import jax

from harness.models.jax.draws import drawn_in_single

EXPLICIT = "jax_explicit_x64_dtypes"
"""JAX's option for arrays of float64 where that isn't its own precision. JAX before 0.9 has none."""


class AbstractPrecision(ABC):
    """A way to evaluate a model in float64. Its parameters and its state are of float64 then; other arrays promote."""

    rounding: ClassVar[float]
    """What it leaves of the model's own precision, relative."""
    words: ClassVar[str]
    """How the loss is evaluated."""

    @abstractmethod
    def evaluating(self) -> AbstractContextManager[None]:
        """Within it the loss is traced."""


@dataclass(frozen=True)
class Wide(AbstractPrecision):
    """Every array that the loss makes is of float64, and so are its random numbers: these are then others."""

    rounding = 0.0
    words = "all in float64"

    @contextmanager
    def evaluating(self) -> Generator[None, None, None]:
        """With x64."""
        with jax.enable_x64(True):
            yield


@dataclass(frozen=True)
class Redrawn(AbstractPrecision):
    """Every array that the loss makes is of float64, and `jax.random` draws the model's own numbers, of float32.

    What they depend on, as the mean of `multivariate_normal`, is rounded to float32.
    """

    rounding = 1e-7
    words = "random numbers in float32"

    @contextmanager
    def evaluating(self) -> Generator[None, None, None]:
        """With x64, but not within the samplers."""
        with drawn_in_single(), jax.enable_x64(True):
            yield


@dataclass(frozen=True)
class Promoted(AbstractPrecision):
    """What the loss makes or draws is of float32, as in the model itself, and promotes where it meets float64.

    The model's constants are rounded to float32.
    """

    rounding = 1e-7
    words = "what the loss makes in float32"

    @contextmanager
    def evaluating(self) -> Generator[None, None, None]:
        """Without x64, arrays of float64 being allowed all the same."""
        before = getattr(jax.config, EXPLICIT)
        jax.config.update(EXPLICIT, "allow")
        try:
            with jax.enable_x64(False):
                yield
        finally:
            jax.config.update(EXPLICIT, before)


def precisions() -> tuple[AbstractPrecision, ...]:
    """Those that this JAX has, the better one first."""
    return (Wide(), Redrawn(), Promoted()) if hasattr(jax.config, EXPLICIT) else (Wide(), Redrawn())
