"""Who hears of the progress of an execution."""

from __future__ import annotations

from typing import Protocol

from harness.case import Case
from harness.runner.executor import Progress


class Listener(Progress, Protocol):
    """Receives the progress of an execution: the progress display, or a listener that does nothing."""

    def timed(self, case: Case) -> None:
        """A case is built and timed, and more of it is measured later."""
        ...

    def done(self, case: Case, status: str) -> None:
        """A case is finished."""
        ...


class Silent:
    """A listener that does nothing."""

    def doing(self, what: str) -> None:
        """Nothing."""

    def note(self, what: str) -> None:
        """Nothing."""

    def timed(self, case: Case) -> None:
        """Nothing."""

    def done(self, case: Case, status: str) -> None:
        """Nothing."""
