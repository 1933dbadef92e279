"""A Dask cluster: the only module that talks to its scheduler."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import queue
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from harness.cluster import task
from harness.cluster.cluster import AbstractCluster, Dropped, Ended, Event, Joined, Left, Said, Worker
from harness.cluster.rules import BLOCK
from harness.errors import InputError
from harness.lazy import lazily

if TYPE_CHECKING:
    import distributed
else:
    (distributed,) = lazily("distributed")

CONNECT_SECONDS = 10.0
PACKAGE = "gradient-harness"
HOW_TO_START = "start one: dask scheduler; docs/cluster.md says how"


class DaskCluster(AbstractCluster):
    """The workers of the scheduler at an address.

    Answers come back as events, which a scheduler passes on as soon as a worker logs them. Raises InputError if the
    scheduler can't be reached, or can't pass on tasks of the harness.
    """

    def __init__(self, address: str) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._futures: dict[str, Any] = {}
        self._known: dict[str, Worker] = {}
        self._address = address
        try:
            self._client: Any = distributed.Client(
                address, timeout=CONNECT_SECONDS, set_as_default=False, name=PACKAGE, direct_to_workers=False
            )
        except ImportError as error:
            fault = "dask needs the package distributed, which can't be imported"
            raise InputError("--executor", "", fault, "pip install gradient-harness[cluster]") from error
        except (OSError, RuntimeError) as error:
            fault = f"no Dask scheduler can be reached at {address}: {error}"
            raise InputError("--scheduler", "", fault, HOW_TO_START) from error
        self._listen()

    def _listen(self) -> None:
        self._client.subscribe_topic(task.TOPIC, self._hear)
        self._client.subscribe_topic("all", self._hear_of_workers)

    def scheduler_version(self) -> str | None:
        """The version of the harness beside the scheduler, which has to import the function that a task calls."""
        try:
            return self._client.run_on_scheduler(importlib.metadata.version, PACKAGE)
        except importlib.metadata.PackageNotFoundError:
            return None

    def workers(self) -> list[Worker]:
        """The workers now. Asks those that are new who they are."""
        end = time.monotonic() + CONNECT_SECONDS
        while self._client.status == "connecting" and time.monotonic() < end:
            time.sleep(0.1)
        if self._client.status != "running":
            raise ConnectionError(f"the connection to the scheduler {self._address} is lost")
        found: Mapping[str, Mapping[str, Any]] = self._client.scheduler_info(n_workers=-1)["workers"]
        self._known = {address: worker for address, worker in self._known.items() if address in found}
        new = [address for address in found if address not in self._known]
        versions = self._ask(importlib.metadata.version, new, PACKAGE)
        places = self._ask(task.whereabouts, [address for address in new if isinstance(versions[address], str)])
        for address in new:
            version, place, about = versions[address], places.get(address), found[address]
            if isinstance(version, str) and not isinstance(place, tuple):
                continue  # it went away meanwhile
            host, machine = place if isinstance(place, tuple) else (str(about["host"]), address)
            known_version = version if isinstance(version, str) else None
            resources: Mapping[str, float] = about["resources"]
            self._known[address] = Worker(address, str(about["name"]), host, machine, known_version, resources)
        return list(self._known.values())

    def _ask(self, function: Any, addresses: Iterable[str], *arguments: object) -> dict[str, object]:
        """What the function gives in each worker, or the exception that it raises. Doesn't wait for tasks there."""
        asked = list(addresses)
        return self._client.run(function, *arguments, workers=asked, on_error="return") if asked else {}

    def submit(self, worker: Worker, request: bytes, token: str, *, stream: bool) -> None:
        """A task for this worker alone, which takes its resource."""
        future = self._client.submit(
            task.perform,
            request,
            token,
            self._client.id,
            stream,
            key=token,
            workers=[worker.address],
            allow_other_workers=False,
            resources={BLOCK: 1},
            pure=False,
        )
        self._futures[token] = future
        future.add_done_callback(functools.partial(self._done, token))

    def cancel(self, token: str) -> None:
        """The worker sees within `task.LOOK_SECONDS` that the task is cancelled."""
        future = self._futures.pop(token, None)
        if future is not None:
            future.cancel()

    def receive(self, seconds: float) -> Event | None:
        """The next event."""
        try:
            event = self._events.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(event, Dropped):
            self._listen()  # a scheduler forgets what a client that it lost was subscribed to
        return event

    def close(self) -> None:
        """Leave. The scheduler cancels what is left of this client's tasks."""
        with contextlib.suppress(Exception):
            self._client.close(timeout=CONNECT_SECONDS)

    def _hear(self, event: tuple[float, Any]) -> None:
        _, message = event
        self._events.put(Said(message["token"], message["answer"]))

    def _hear_of_workers(self, event: tuple[float, Any]) -> None:
        _, message = event
        if not isinstance(message, Mapping):
            return
        if message.get("action") == "add-worker":
            self._events.put(Joined())
        elif message.get("action") == "remove-worker":
            self._known.pop(message["worker"], None)
            self._events.put(Left(message["worker"], bool(message.get("expected"))))

    def _done(self, token: str, future: Any) -> None:
        """In a thread of the client's, after everything that the task has sent was heard."""
        if token not in self._futures:
            return  # we cancelled it
        if future.status == "finished":
            fault, answers = future.result()
            self._events.put(Ended(token, fault, answers))
        elif future.status == "cancelled":
            self._events.put(Dropped(token))
        else:
            error = future.exception()
            self._events.put(Ended(token, " ".join(f"{type(error).__name__}: {error}".split())))
