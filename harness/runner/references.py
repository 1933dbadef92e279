"""The child that computes references, started when first asked, and started again where it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from harness.case import Case
from harness.runner.block import AbstractWorker
from harness.runner.worker import CaseFailure


class References:
    """Remembers what the child answered, so that the methods of a block share a reference."""

    KEPT = 64

    def __init__(self, spawn: Callable[[], AbstractWorker]) -> None:
        self._spawn = spawn
        self._worker: AbstractWorker | None = None
        self._known: dict[Any, Any] = {}
        self._lock = threading.Lock()

    def call(self, name: str, *arguments: Any) -> Any:
        """`continuous` or `discrete` of (case, path seed); raises CaseFailure. May be called from several threads."""
        with self._lock:
            return self._call(name, *arguments)

    def _call(self, name: str, case: Case, seed: int) -> Any:
        key = (name, seed, *_relevant(name, case))
        if key not in self._known:
            self._worker = self._worker or self._spawn()
            try:
                answer = self._worker.call(name, case, seed)
            except CaseFailure:
                self.close()
                raise
            if len(self._known) >= self.KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = answer
        return self._known[key]

    def close(self) -> None:
        """End the child."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _relevant(name: str, case: Case) -> tuple[Any, ...]:
    """What a reference depends on: the block less precision, device, threads and sampler; the scheme if discrete."""
    shared = (
        case.problem,
        case.noise,
        case.calculus,
        case.dim,
        case.batch,
        case.steps,
        case.observations,
        case.seed,
    )
    return shared if name == "continuous" else (*shared, case.scheme)
