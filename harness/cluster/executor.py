"""The executor for a cluster."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from harness.cluster.cluster import AbstractCluster
from harness.cluster.execution import Execution
from harness.cluster.rules import able, notes, places
from harness.cluster.surveys import Surveys
from harness.errors import InputError
from harness.measuring.time import Clock
from harness.runner.executor import AbstractExecutor, Progress
from harness.runner.job import BlockJob, Outcome
from harness.site import Surveyed
from harness.suite import Suite

SURVEY_SECONDS = 600.0
"""For so long a run waits for the first answer of a worker."""
LATE_SECONDS = 60.0
"""For so long it then waits for the others. A worker that is busy with another run answers later."""


class ClusterExecutor(AbstractExecutor):
    """Measures blocks on the workers of a cluster, one at a time on each machine.

    It leaves the cluster at the end of a `with` statement.
    """

    def __init__(self, cluster: AbstractCluster, clock: Clock = time.monotonic) -> None:
        self._cluster, self._clock = cluster, clock
        self._surveys: Surveys | None = None

    def __enter__(self) -> ClusterExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cluster.close()

    def survey(self, suite: Suite, path: Path) -> Surveyed:
        """Ask a worker of each machine what it can measure. Raises InputError if none can, or if one is refused.

        It is also raised if the cluster is gone.
        """
        try:
            workers = able(self._cluster.workers())
        except ConnectionError as error:
            raise InputError("--scheduler", "", str(error)) from error
        found = places(workers)
        self._surveys = surveys = Surveys(self._cluster, suite, path)
        for place in found:
            surveys.ask(place.workers[0])
        end = self._clock() + SURVEY_SECONDS
        while surveys.asked and self._clock() < end:
            event = self._cluster.receive(1.0)
            if event is not None and surveys.hear(event) is not None:
                end = min(end, self._clock() + LATE_SECONDS)
        names = {worker.address: worker.name for worker in workers}
        for address, refused in surveys.refused.items():
            raise InputError(f"worker {names[address]}", "", refused.message, detail=refused.detail)
        sites = [surveys.site(place.workers[0], place) for place in found]
        known = tuple(site for site in sites if site is not None)
        if not known:
            fault = f"no worker has answered within {SURVEY_SECONDS:g} s"
            raise InputError("--scheduler", "", fault, "see the workers' logs; are they busy with another run?")
        late = [f"The worker {worker.name} hasn't answered yet. It measures once it has." for worker in surveys.asked]
        return Surveyed(known, (*notes(found), *late))

    def execute(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[Outcome]:
        """Outcomes of all machines as they come."""
        assert self._surveys is not None, "the machines are surveyed before they measure"
        return Execution(self._cluster, self._surveys, jobs, progress, self._clock).outcomes()
