"""A cluster as the executor sees it: workers that do requests, one at a time, and tell what they find."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Worker:
    """A worker of a cluster.

    `host` is its machine's name. `machine` is the same for all workers of one machine, also if these are in containers.
    `version` is that of the harness on it, None if it isn't installed. `resources` are what it was started with.
    """

    address: str
    name: str
    host: str
    machine: str
    version: str | None
    resources: Mapping[str, float]


@dataclass(frozen=True)
class Said:
    """An answer to a request that goes on. `answer` is pickled."""

    token: str
    answer: bytes


@dataclass(frozen=True)
class Ended:
    """A request is done, or can't be done: `fault` says what became of its process, "" if it ended well.

    `answers` are those of a request that wasn't streamed, pickled.
    """

    token: str
    fault: str = ""
    answers: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Dropped:
    """The cluster has forgotten a request, because the connection to its scheduler was lost for a moment."""

    token: str


@dataclass(frozen=True)
class Joined:
    """The cluster has a new worker."""


@dataclass(frozen=True)
class Left:
    """A worker is gone: it left the cluster as it was `told`, or died."""

    address: str
    told: bool


Event: TypeAlias = "Said | Ended | Dropped | Joined | Left"


class AbstractCluster(ABC):
    """Workers that do what is requested of them."""

    @abstractmethod
    def workers(self) -> list[Worker]:
        """The workers that the cluster has now. Raises ConnectionError if the cluster is gone."""

    @abstractmethod
    def submit(self, worker: Worker, request: bytes, token: str, *, stream: bool) -> None:
        """Have a worker, and no other, do a pickled request of `harness/runner/request.py`.

        Answers come as `Said` if `stream` is set, otherwise all with `Ended`. `token` is a name that no other request
        has. The worker takes the request when it isn't busy with another one, whoever made that.
        """

    @abstractmethod
    def cancel(self, token: str) -> None:
        """End what was started for a request. Nothing more is heard of it but what is on its way already."""

    @abstractmethod
    def receive(self, seconds: float) -> Event | None:
        """The next event, in the order in which a worker sent them; None if there is none for so long."""

    @abstractmethod
    def close(self) -> None:
        """Leave the cluster. What is being done for this program ends."""
