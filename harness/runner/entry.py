"""A case under measurement, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.record import Measured
from harness.runner.child import CaseTarget
from harness.runner.worker import CaseFailure

T = TypeVar("T", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")


class AbstractWorker(Protocol[T]):
    """What is needed of a child that holds a T: `Worker`, or a fake in tests."""

    def call(self, method: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What the method of T answers; raises CaseFailure."""
        ...

    def close(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What became of a case."""

    case: Case
    status: str
    reason: str
    measured: Measured


@dataclass
class Entry:
    """A case under measurement."""

    case: Case
    worker: AbstractWorker[CaseTarget]
    measured: Measured
    repeats: int = 1
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    gradients: list[GradientArrays] = field(default_factory=list)
    errors: dict[str, list[float]] = field(default_factory=dict)
    bars: list[float] = field(default_factory=list)
    unstable: str = ""
    note: str = ""
    failure: CaseFailure | None = None

    def so_far(self) -> Measured:
        """With the samples taken until now."""
        ratio = self.cpu_seconds / self.wall_seconds if self.wall_seconds else None
        repeats = self.repeats if self.seconds else None
        return replace(self.measured, seconds=tuple(self.seconds), repeats=repeats, cpu_ratio=ratio)
