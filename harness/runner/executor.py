"""The seam between a run and the machines that measure it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from harness.runner.job import BlockJob, Outcome
from harness.site import Surveyed
from harness.suite import Suite


class Progress(Protocol):
    """Receives what an executor does."""

    def doing(self, what: str) -> None:
        """What it does now."""
        ...

    def note(self, what: str) -> None:
        """A sentence that a user should read, such as that a machine was lost."""
        ...


class AbstractExecutor(ABC):
    """Measures blocks, somewhere. Jobs and outcomes are values that can be pickled: nothing else passes this seam."""

    def survey(self, suite: Suite, path: Path) -> Surveyed:
        """The machines on which the suite is to be measured, and what each can measure. `path` is the suite's file.

        By default the executor measures on this machine, which is planned for without a survey. Raises InputError where
        no machine can be used.
        """
        del suite, path
        return Surveyed()

    @abstractmethod
    def execute(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[Outcome]:
        """Outcomes as they become known, in any order; the last one of a case counts.

        Whoever stops reading closes the iterator, which ends everything that was started for it.
        """

    def busy_seconds(self) -> float | None:
        """For how long at least one case was built or measured until now; None where that isn't known."""
        return None
