"""Children that hold a case and measure its memory, as a run's do."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import Any, TypeVar

import jax
from gradients import values_of

from harness.case import Case
from harness.measuring.memory import in_use_cpu, peak_bytes_cpu, retained_bytes
from harness.runner.child import CaseTarget
from harness.runner.worker import Worker, start_server

T = TypeVar("T", bound=CaseTarget)


class Child(CaseTarget):
    """A run's child, which can also be asked for less. It compiles as the tests do: quickly.

    Memory is planned before the code is made that is then optimised or not: it is the same, to the byte.
    """

    def peak(self) -> int:
        """The peak of a run, as `memory` measures it; to see what runs retain takes twenty more of them."""
        return peak_bytes_cpu(self._once)

    def retained(self) -> float | None:
        """What runs retain, as `memory` measures it, without the peak."""
        return retained_bytes(self._once, in_use_cpu, call_seconds=1e-3)


class UsuallyCompiled(Child):
    """The same, compiled as a run's child compiles."""

    def __init__(self, *given: Any) -> None:
        os.environ.pop("XLA_FLAGS", None)
        jax.config.update("jax_disable_most_optimizations", False)
        super().__init__(*given)


@contextlib.contextmanager
def child(case: Case, plugins: tuple[str, ...] = (), kind: type[T] = Child) -> Iterator[Worker[T]]:
    """A child that has built the case, on a core of its own where there is one for each of pytest's workers."""
    lane = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % len(os.sched_getaffinity(0))
    make = functools.partial(kind, case, plugins, values_of(case), lane)
    worker = Worker(start_server(), make, timeout=300.0, memory=8 * 2**30)
    try:
        worker.call(kind.build, 0)
        yield worker
    finally:
        worker.close()
