"""The child that computes references, started when first asked, and started again where it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.runner.entry import AbstractWorker
from harness.runner.worker import CaseFailure


class References:
    """A worker (`harness.runner.child.ReferenceTarget`) that is there when it is needed."""

    def __init__(self, spawn: Callable[[], AbstractWorker]) -> None:
        self._spawn = spawn
        self._worker: AbstractWorker | None = None

    def call(self, name: str, *arguments: Any) -> Any:
        """The child's answer; raises CaseFailure, after which the next call has a child of its own."""
        self._worker = self._worker or self._spawn()
        try:
            return self._worker.call(name, *arguments)
        except CaseFailure:
            self.close()
            raise

    def close(self) -> None:
        """End the child."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
