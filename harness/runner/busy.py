"""The part of a run in which something is measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Concatenate, Generic, ParamSpec, TypeVar

from harness.measuring.time import Clock
from harness.runner.child import CaseTarget
from harness.runner.entry import AbstractWorker

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

MEASURING = frozenset(
    method.__name__ for method in (CaseTarget.build, CaseTarget.time, CaseTarget.memory, CaseTarget.gradient)
)
"""What a child of a case is asked: to build, which is mostly compilation, and to call the method."""


class Busy:
    """The seconds within its `with` blocks. Blocks of several threads at the same time count once."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.seconds = 0.0
        self._clock, self._inside, self._since, self._lock = clock, 0, 0.0, threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._since = self._clock()
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self.seconds += self._clock() - self._since


class Watched(Generic[T]):
    """A worker whose building and measuring calls are counted by `busy`."""

    def __init__(self, worker: AbstractWorker[T], busy: Busy) -> None:
        self._worker, self._busy = worker, busy

    def call(self, method: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What the worker answers; raises CaseFailure."""
        if method.__name__ not in MEASURING:
            return self._worker.call(method, *args, **kwargs)
        with self._busy:
            return self._worker.call(method, *args, **kwargs)

    def close(self) -> None:
        """End it."""
        self._worker.close()
