"""A cluster in this process: workers that measure nothing, and die as they are told."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from executors import FakeExecutor

from harness.cluster.cluster import AbstractCluster, Dropped, Ended, Event, Left, Said, Worker
from harness.environment import package_version
from harness.identity import Plugin
from harness.listener import Silent
from harness.machine import Machine
from harness.plan import make_plan
from harness.registry import Registry
from harness.runner.request import Measure, Refused, Survey
from harness.site import Site

VERSION = package_version("gradient-harness")


def worker(name: str, machine: str = "", **changes: object) -> Worker:
    """A worker on a machine of its own, unless the machine is given."""
    made = Worker(f"tcp://{name}", name, f"host-{name}", machine or name, VERSION, {"BLOCK": 1})
    return replace(made, **changes)  # type: ignore[arg-type]


Fate = Callable[[Worker, Sequence[Event]], Sequence[Event]]
"""What comes of a block at a worker: by default the events of a block that is measured."""


class FakeCluster(AbstractCluster):
    """Does each request when the next event is asked for, the oldest first.

    `fate` changes the events of a block. `cuda` are the frameworks that see a device, by the worker's name. The workers
    `busy` are surveyed only after a block was measured.
    """

    def __init__(
        self,
        *workers: Worker,
        fate: Fate = lambda _, events: events,
        cuda: dict[str, frozenset[str]] | None = None,
        busy: frozenset[str] = frozenset(),
    ) -> None:
        self.present = list(workers)
        self.fate = fate
        self.cuda = cuda or {}
        self.measured: list[tuple[str, int]] = []
        """The worker's name and the steps of each block that was submitted, in order."""
        self.most_at_once = 0
        self.cancelled: list[str] = []
        self.closed = False
        self.plugins: tuple[Plugin, ...] = ()
        """The files that a survey finds."""
        self._busy = busy
        self._late: list[Event] = []
        self._open: dict[str, Worker] = {}
        self._events: deque[Event] = deque()

    def workers(self) -> list[Worker]:
        """Those that are present."""
        return list(self.present)

    def submit(self, worker: Worker, request: bytes, token: str, *, stream: bool) -> None:
        """The events of the request wait to be received."""
        asked: Measure | Survey = pickle.loads(request)
        if isinstance(asked, Survey):
            assert not stream
            answer = Ended(token, answers=(pickle.dumps(self._site(worker, asked)),))
            (self._late if worker.name in self._busy else self._events).append(answer)
            return
        assert stream
        self.measured.append((worker.name, asked.job.cases[0].case.steps))
        self._open[token] = worker
        self.most_at_once = max(self.most_at_once, len(self._open))
        events = [*self._outcomes(asked, token), Ended(token)]
        for event in self.fate(worker, events):
            if isinstance(event, Left):
                self.present = [one for one in self.present if one.address != event.address]
            self._events.append(event)
        self._events.extend(self._late)
        self._late.clear()

    def _outcomes(self, asked: Measure, token: str) -> Iterator[Said]:
        for outcome in FakeExecutor().execute([asked.job], Silent()):
            yield Said(token, pickle.dumps(outcome))

    def _site(self, worker: Worker, asked: Survey) -> Site:
        registry = Registry.load(asked.suite.plugins)
        plan = make_plan(asked.suite, asked.path, registry, Machine(2, self.cuda.get(worker.name, frozenset())))
        environment = {
            "host": worker.host, "usable_cores": 2, "logical_cores": 2, "memory_bytes": 2**33, "warnings": [],
            "processor": f"processor of {worker.name}", "packages": {"torch": "1", "jax": "1"}, "python": "3",
            "variables": {}, "time": "2026-01-01", "git_revision": None, "backends": {}, "platform": "p",
        }  # fmt: skip
        return Site(environment=environment, plan=plan, plugins=self.plugins)

    def cancel(self, token: str) -> None:
        """Its events that wait are lost."""
        self.cancelled.append(token)
        self._open.pop(token, None)
        self._events = deque(event for event in self._events if getattr(event, "token", "") != token)

    def receive(self, seconds: float) -> Event | None:
        """The oldest event."""
        if not self._events:
            return None
        event = self._events.popleft()
        if isinstance(event, Ended | Dropped):
            self._open.pop(event.token, None)
        return event

    def close(self) -> None:
        """Note it."""
        self.closed = True


def refused(token: str, message: str) -> Said:
    """The answer of a worker that can't do a request."""
    return Said(token, pickle.dumps(Refused(message)))
