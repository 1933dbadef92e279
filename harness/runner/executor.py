"""The seam between a run and the machines that measure it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from harness.runner.job import BlockJob, Outcome


class AbstractExecutor(ABC):
    """Measures blocks, somewhere. Jobs and outcomes are values that can be pickled: nothing else passes this seam."""

    @abstractmethod
    def execute(self, jobs: Iterable[BlockJob]) -> Iterator[Outcome]:
        """Outcomes as they become known, in any order; the last one of a case counts.

        Whoever stops reading closes the iterator, which ends everything that was started for it.
        """

    def busy_seconds(self) -> float | None:
        """For how long at least one case was built or measured until now; None where that isn't known."""
        return None
