"""What a program on another machine may ask of `harness/runner/remote.py`, and the answers. All can be pickled."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from harness import survey
from harness.runner.job import BlockJob
from harness.runner.local import LocalExecutor
from harness.suite import Suite


@dataclass(frozen=True)
class Doing:
    """An answer: what the process does now."""

    what: str


@dataclass(frozen=True)
class Refused:
    """An answer, the last one: why the request can't be done, with the `detail` of an InputError."""

    message: str
    detail: str = ""


class Sender:
    """Sends answers from any thread. Also receives the progress of an executor."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, threading.Lock()

    def send(self, answer: object) -> None:
        """Send an answer. Raises OSError if nobody reads."""
        with self._lock:
            self._connection.send(answer)

    def doing(self, what: str) -> None:
        """Send what the executor does now."""
        self.send(Doing(what))

    def note(self, what: str) -> None:
        """Send it likewise."""
        self.send(Doing(what))


class Request(Protocol):
    """What the process is asked to do."""

    def answers(self, sender: Sender) -> Generator[object, None, None]:
        """The answers as they become known. `sender` sends what is done meanwhile. Raises InputError."""
        ...


@dataclass(frozen=True)
class Survey:
    """Find out what this machine can measure of a suite, whose file is `path`. The answer is a `harness.site.Site`."""

    suite: Suite
    path: Path

    def answers(self, sender: Sender) -> Generator[object, None, None]:
        """The site."""
        del sender
        yield survey.survey(self.suite, self.path)


@dataclass(frozen=True)
class Measure:
    """Measure a block. The answers are its outcomes."""

    job: BlockJob

    def answers(self, sender: Sender) -> Generator[object, None, None]:
        """Each outcome as soon as it is known."""
        yield from LocalExecutor().execute([self.job], sender)
