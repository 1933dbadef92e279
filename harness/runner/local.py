"""The local executor: a fork server, a child a case, and a child for references, all on this machine."""

from __future__ import annotations

import functools
import itertools
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.case import Case
from harness.initial import Values
from harness.models.facts import ModelFacts
from harness.registry import Registry
from harness.runner.block import BlockRunner
from harness.runner.busy import Busy, Watched
from harness.runner.child import CaseTarget, ReferenceTarget, references_of
from harness.runner.executor import AbstractExecutor, Progress
from harness.runner.job import BlockJob, Outcome
from harness.runner.references import References
from harness.runner.worker import Worker, start_server

REFERENCE_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class LocalExecutor(AbstractExecutor):
    """Measures one block after the other on this machine, in children.

    `log` is the file that the children's output goes to. By default it goes where this process's own goes.
    """

    log: Path | None = None
    _busy: Busy = field(default_factory=Busy, init=False)

    def execute(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[Outcome]:
        """Outcomes as they become known. Jobs with the same plugins, model and memory share a child for references."""
        for (plugins, model, memory), group in itertools.groupby(
            jobs, lambda job: (job.plugins, job.model, int(job.budget.memory))
        ):
            progress.doing("importing the frameworks")
            registry = Registry.load(plugins)
            references = References(functools.partial(self._spawn_references, plugins, model, memory))
            try:
                for job in group:
                    runner = BlockRunner(
                        job=job,
                        registry=registry,
                        spawn=functools.partial(self._spawn, job),
                        references=references,
                        cores=len(os.sched_getaffinity(0)),
                        say=progress.doing,
                    )
                    yield from map(_with_host, runner.run())
            finally:
                references.close()

    def busy_seconds(self) -> float:
        """For how long at least one case was built or measured until now."""
        return self._busy.seconds

    def _spawn(self, job: BlockJob, case: Case, values: Values, lane: int) -> Watched[CaseTarget]:
        make = functools.partial(CaseTarget, case, job.plugins, values, lane, job.model)
        budget = job.budget
        worker = Worker(start_server(), make, timeout=budget.timeout, memory=int(budget.memory), log=self.log)
        return Watched(worker, self._busy)

    def _spawn_references(
        self, plugins: tuple[str, ...], model: ModelFacts | None, memory: int
    ) -> Worker[ReferenceTarget]:
        make = functools.partial(references_of, plugins, model)
        return Worker(start_server(), make, timeout=REFERENCE_TIMEOUT_SECONDS, memory=memory, log=self.log)


def _with_host(outcome: Outcome) -> Outcome:
    """The outcome with the name of this machine."""
    return replace(outcome, measured=replace(outcome.measured, host=platform.node()))
