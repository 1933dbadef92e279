"""The child that computes references, started when first asked, and started again where it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from harness.runner.child import ReferenceTarget
from harness.runner.entry import AbstractWorker
from harness.runner.worker import CaseFailure

P = ParamSpec("P")
R = TypeVar("R")


class References:
    """A worker that is there when it is needed."""

    def __init__(self, spawn: Callable[[], AbstractWorker[ReferenceTarget]]) -> None:
        self._spawn = spawn
        self._worker: AbstractWorker[ReferenceTarget] | None = None

    def call(self, method: Callable[Concatenate[ReferenceTarget, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The child's answer; raises CaseFailure, after which the next call has a child of its own."""
        self._worker = self._worker or self._spawn()
        try:
            return self._worker.call(method, *args, **kwargs)
        except CaseFailure:
            self.close()
            raise

    def close(self) -> None:
        """End the child."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
