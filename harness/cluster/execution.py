"""Blocks given to the workers of a cluster, and given to others if a worker is lost."""

from __future__ import annotations

import itertools
import pickle
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace

from harness.case import Case
from harness.cluster.cluster import AbstractCluster, Dropped, Ended, Event, Left, Said, Worker
from harness.cluster.rules import BLOCK, Place, places, refusal
from harness.cluster.surveys import Surveys, new_token
from harness.errors import WorkersLostError
from harness.measuring.time import Clock
from harness.record import Measured
from harness.runner.executor import Progress
from harness.runner.job import BlockJob, CaseJob, Outcome
from harness.runner.request import Doing, Measure, Refused
from harness.site import Site

MOST_LOSSES = 3
"""A block that was lost so often isn't given to another worker: it may be what ends them."""
PATIENCE_SECONDS = 300.0
"""For so long a run waits for a worker if none is left that can measure what remains."""
LOOK_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class Attempt:
    """A block at a worker."""

    job: BlockJob
    worker: Worker
    site: Site


class Execution:
    """Gives blocks to the places of a cluster, one at a time to each."""

    def __init__(
        self, cluster: AbstractCluster, surveys: Surveys, jobs: Iterable[BlockJob], progress: Progress, clock: Clock
    ) -> None:
        self._cluster, self._surveys, self._progress, self._clock = cluster, surveys, progress, clock
        self._jobs = iter(jobs)
        self._waiting: deque[BlockJob] = deque()
        self._running: dict[str, Attempt] = {}
        self._refused: dict[str, Refused] = {}
        self._losses: dict[str, list[str]] = {}
        self._known: dict[Case, Outcome] = {}
        self._complete: set[Case] = set()
        self._places: list[Place] = []
        self._stranded_since: float | None = None

    def outcomes(self) -> Generator[Outcome, None, None]:
        """The outcomes of all jobs. Raises WorkersLostError if there are no workers any more."""
        try:
            self._places = self._look()
            while True:
                yield from self._assign()
                if not self._running and not self._remains():
                    return
                self._wait_for_workers()
                event = self._cluster.receive(LOOK_SECONDS)
                if event is not None:
                    yield from self._hear(event)
        finally:
            self._surveys.close()
            for token in self._running:
                self._cluster.cancel(token)

    def _remains(self) -> bool:
        """Whether a block waits for a worker. Takes the next job to see."""
        if not self._waiting:
            self._waiting.extend(itertools.islice(self._jobs, 1))
        return bool(self._waiting)

    def _look(self) -> list[Place]:
        """The places that may measure."""
        try:
            workers = self._cluster.workers()
        except ConnectionError as error:
            raise WorkersLostError(str(error)) from error
        willing = [worker for worker in workers if worker.resources.get(BLOCK)]
        for worker in willing:
            fault = refusal(worker)
            if fault is not None and worker.address not in self._surveys.refused:  # it has joined lately
                self._surveys.refused[worker.address] = Refused("; ".join(fault))
                self._progress.note(f"The worker {worker.name} doesn't measure: it {'; '.join(fault)}")
        return places([worker for worker in willing if worker.address not in self._surveys.refused])

    def _assign(self) -> Iterator[Outcome]:
        """Give a block to each place that has none. If no machine of a place is known yet, it is surveyed first."""
        busy = {worker.address for worker in self._surveys.asked}
        busy |= {attempt.worker.address for attempt in self._running.values()}
        for place in self._places:
            if any(worker.address in busy for worker in place.workers) or not self._remains():
                continue
            known = self._sites(place)
            if not known:
                self._surveys.ask(place.workers[0])
                continue
            worker, site = known[0]
            job = self._next(site)
            if job is not None:
                yield from self._start(job, worker, site)

    def _sites(self, place: Place) -> list[tuple[Worker, Site]]:
        """The workers of a place that were surveyed, with their sites."""
        found = ((worker, self._surveys.site(worker, place)) for worker in place.workers)
        return [(worker, site) for worker, site in found if site is not None]

    def _next(self, site: Site) -> BlockJob | None:
        """The next block for a site: one of which no other machine can measure more cases."""
        sites = [other for place in self._places for _, other in self._sites(place)]

        def suits(job: BlockJob) -> bool:
            possible = len(_possible(job, site))
            return possible > 0 and possible == max(len(_possible(job, other)) for other in sites)

        for index, job in enumerate(self._waiting):
            if suits(job):
                del self._waiting[index]
                return job
        for job in self._jobs:
            if suits(job):
                return job
            self._waiting.append(job)
        return None

    def _start(self, job: BlockJob, worker: Worker, site: Site) -> Iterator[Outcome]:
        """Submit a block. Its cases that the machine can't measure, and no other can either, are unsupported."""
        possible = _possible(job, site)
        reasons = dict(site.plan.unsupported)
        for one in job.cases:
            if one not in possible:
                reason = reasons.get(one.case, "no machine can measure it together with the rest of its block")
                yield Outcome(one.case, "unsupported", reason, Measured(), site=site)
        job = replace(job, cases=possible)
        token = new_token()
        self._running[token] = Attempt(job, worker, site)
        self._cluster.submit(worker, pickle.dumps(Measure(job)), token, stream=True)

    def _hear(self, event: Event) -> Iterator[Outcome]:
        """Do what an event asks for."""
        if isinstance(event, Said):
            yield from self._take(event)
            return
        surveyed = self._surveys.hear(event)
        if surveyed is not None and surveyed.address in self._surveys.refused:
            refused = self._surveys.refused[surveyed.address]
            self._progress.note(f"The worker {surveyed.name} doesn't measure: {refused.message}")
        if isinstance(event, Ended):
            yield from self._end(event)
        elif isinstance(event, Dropped):
            attempt = self._running.pop(event.token, None)
            if attempt is not None:
                self._again(attempt, "The connection to the scheduler was lost")
        elif isinstance(event, Left):
            for token, attempt in list(self._running.items()):
                if attempt.worker.address == event.address:
                    del self._running[token]
                    self._cluster.cancel(token)
                    yield from self._left(attempt, event)
        self._places = self._look()

    def _take(self, said: Said) -> Iterator[Outcome]:
        """An answer of a block. Those of a worker that was given up come too late: the block is measured elsewhere."""
        attempt = self._running.get(said.token)
        if attempt is None:
            return
        answer = pickle.loads(said.answer)
        if isinstance(answer, Outcome):
            outcome = replace(answer, site=attempt.site)
            if not outcome.pending or outcome.case not in self._complete:
                self._known[outcome.case] = outcome
            if not outcome.pending:
                self._complete.add(outcome.case)
            yield outcome
        elif isinstance(answer, Refused):
            self._refused[said.token] = answer
        elif isinstance(answer, Doing):
            self._progress.doing(f"{attempt.site.host}: {answer.what}")

    def _end(self, ended: Ended) -> Iterator[Outcome]:
        attempt = self._running.pop(ended.token, None)
        if attempt is None:
            return
        refused = self._refused.pop(ended.token, None)
        if refused is not None:
            yield from self._fail(attempt, f"the worker {attempt.worker.name} can't measure it: {refused.message}")
        elif ended.fault:
            yield from self._lose(attempt, f"on the worker {attempt.worker.name} {ended.fault}")

    def _left(self, attempt: Attempt, left: Left) -> Iterator[Outcome]:
        if left.told:
            self._again(attempt, f"The worker {attempt.worker.name} left the cluster")
        else:
            yield from self._lose(attempt, f"the worker {attempt.worker.name} on {attempt.site.host} died")

    def _lose(self, attempt: Attempt, what: str) -> Iterator[Outcome]:
        """A block may be what ends workers, so it isn't tried for ever."""
        losses = self._losses.setdefault(attempt.job.id, [])
        losses.append(what)
        if len(losses) < MOST_LOSSES:
            self._again(attempt, f"{what[0].upper()}{what[1:]}")
        else:
            yield from self._fail(attempt, f"its block was lost {len(losses)} times: {'; '.join(losses)}")

    def _again(self, attempt: Attempt, what: str) -> None:
        self._progress.note(f"{what}. The block that it measured is measured again: {attempt.job.setting}")
        self._waiting.appendleft(attempt.job)

    def _fail(self, attempt: Attempt, reason: str) -> Iterator[Outcome]:
        """Outcomes of the cases that no attempt has measured completely, with what is known of them."""
        for one in attempt.job.cases:
            known = self._known.get(one.case)
            if known is not None and one.case in self._complete:
                yield known  # a later attempt may have begun it again
            else:
                site, measured = (attempt.site, Measured()) if known is None else (known.site, known.measured)
                yield Outcome(one.case, "failed", reason, measured, site=site)

    def _wait_for_workers(self) -> None:
        """Note when the last worker was there. Raises WorkersLostError if that is too long ago."""
        if self._running or self._surveys.asked or not self._waiting:
            self._stranded_since = None
        elif self._stranded_since is None:
            self._stranded_since = self._clock()
            self._progress.note(
                f"No worker is left that can measure the next block. The run waits {PATIENCE_SECONDS:g} s for one."
            )
        elif self._clock() - self._stranded_since > PATIENCE_SECONDS:
            raise WorkersLostError("no worker is left that can measure the rest of the run")


def _possible(job: BlockJob, site: Site) -> tuple[CaseJob, ...]:
    """The cases of a block that can be measured at a site."""
    return tuple(one for one in job.cases if one.case in site.cases)
