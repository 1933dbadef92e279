"""A case under measurement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.measuring.time import Series
from harness.record import Measured
from harness.runner.child import CaseTarget
from harness.runner.job import NO_REFERENCE, CaseJob
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


@dataclass(eq=False)
class Entry:
    """A case under measurement."""

    job: CaseJob
    worker: AbstractWorker[CaseTarget]
    measured: Measured
    series: Series = field(default_factory=Series)
    gradients: list[GradientArrays] = field(default_factory=list[GradientArrays])
    errors: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    bars: list[float] = field(default_factory=list[float])
    unstable: str = ""
    note: str = ""
    failure: CaseFailure | None = None
    lacking: dict[str, CaseFailure] = field(default_factory=dict[str, CaseFailure])
    """What couldn't be measured, as its reference failed, and how that failed."""

    def remark(self, text: str) -> None:
        """Add to what the record's reason says of an `ok` case, once."""
        if text and text not in self.note:
            self.note = f"{self.note}; {text}" if self.note else text

    def lacks(self, what: str, failure: CaseFailure) -> None:
        """One of its errors can't be measured."""
        self.lacking.setdefault(what, CaseFailure(failure.status, f"{NO_REFERENCE}{failure.reason}"))

    def remark_lacking(self) -> None:
        """Say what is lacking and why, for one reason once."""
        reasons: dict[str, list[str]] = {}
        for what, failure in self.lacking.items():
            reasons.setdefault(failure.reason, []).append(what)
        for reason, names in reasons.items():
            self.remark(f"no {' and no '.join(names)}: {reason}")

    @property
    def has_numbers(self) -> bool:
        """Whether anything was measured: time, memory, or an error."""
        errors = any(name.startswith(("gradient_error", "adjoint_error")) for name in self.errors)
        return errors or bool(self.series.seconds) or self.measured.peak_bytes is not None

    @property
    def case(self) -> Case:
        """The case itself."""
        return self.job.case

    def take_sample(self) -> None:
        """One sample, a round's. Raises CaseFailure."""
        self.series.add(self.worker.call(CaseTarget.time, self.series.repeats))

    def so_far(self) -> Measured:
        """With the samples taken until now."""
        taken = self.series
        repeats = taken.repeats if taken.seconds else None
        return replace(
            self.measured,
            seconds=tuple(taken.seconds),
            waits=tuple(taken.waits),
            repeats=repeats,
            cpu_ratio=taken.cpu_ratio,
        )
