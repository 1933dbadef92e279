"""What is found out about each worker of a cluster before it measures."""

from __future__ import annotations

import pickle
import uuid
from dataclasses import replace
from pathlib import Path

from harness.cluster.cluster import AbstractCluster, Dropped, Ended, Event, Left, Worker
from harness.cluster.rules import SHARED, Place
from harness.identity import differing
from harness.runner.request import Refused, Survey
from harness.site import Site
from harness.suite import Suite

BESIDE = f"other blocks may be measured on this machine at the same time, as its workers' resource {SHARED} allows"
"""The warning of a machine whose workers measure side by side."""


def new_token() -> str:
    """A name that no other request has."""
    return f"gradient-harness-{uuid.uuid4().hex}"


class Surveys:
    """The sites of workers, by address, and why others are refused.

    All must have the same plugins and models as the first one.
    """

    def __init__(self, cluster: AbstractCluster, suite: Suite, path: Path) -> None:
        self._cluster = cluster
        self._request = pickle.dumps(Survey(suite, path))
        self._asked: dict[str, Worker] = {}
        self._found: dict[str, Site] = {}
        self._first: Site | None = None
        self.refused: dict[str, Refused] = {}

    @property
    def asked(self) -> list[Worker]:
        """The workers that haven't answered yet."""
        return list(self._asked.values())

    def ask(self, worker: Worker) -> None:
        """Have a worker look at its machine. It does so when it has time."""
        token = new_token()
        self._asked[token] = worker
        self._cluster.submit(worker, self._request, token, stream=False)

    def site(self, worker: Worker, place: Place) -> Site | None:
        """The worker's site. It says if others may measure beside it. None as long as it isn't known."""
        found = self._found.get(worker.address)
        if found is None or not place.shared or found.environment.get("shared"):
            return found
        warnings = [*found.environment["warnings"], BESIDE]
        environment = {**found.environment, "shared": True, "warnings": warnings}
        self._found[worker.address] = marked = replace(found, environment=environment)
        return marked

    def hear(self, event: Event) -> Worker | None:
        """Take an answer. Return the worker that gave it, None if the event is no answer to a survey."""
        if isinstance(event, Left):
            for token in [token for token, worker in self._asked.items() if worker.address == event.address]:
                self._cluster.cancel(token)
                del self._asked[token]
            for known in (self._found, self.refused):
                known.pop(event.address, None)
            return None
        if not isinstance(event, Ended | Dropped):
            return None
        worker = self._asked.pop(event.token, None)
        if worker is not None and isinstance(event, Ended):
            answer = pickle.loads(event.answers[-1]) if event.answers else Refused(f"can't be surveyed: {event.fault}")
            self._take(worker, answer)
        return worker

    def _take(self, worker: Worker, answer: Site | Refused) -> None:
        if isinstance(answer, Refused):
            self.refused[worker.address] = answer
            return
        self._first = self._first or answer
        other = differing(answer.plugins, self._first.plugins)
        if other is not None:
            host = self._first.host
            self.refused[worker.address] = Refused(f"its file of {other} differs from that on {host}: copy the same")
            return
        environment = {**answer.environment, "worker": worker.name}
        self._found[worker.address] = replace(answer, environment=environment)

    def close(self) -> None:
        """Ask no more."""
        for token in self._asked:
            self._cluster.cancel(token)
        self._asked.clear()
