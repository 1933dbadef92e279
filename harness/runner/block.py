"""One block: its cases built, timed in turn, then measured for memory and error, one outcome each."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from harness.case import Case
from harness.initial import Values
from harness.measuring.time import Clock, Series, warm_up
from harness.random import splitmix
from harness.record import Measured
from harness.registry import Registry
from harness.runner.child import CaseTarget, ReferenceTarget
from harness.runner.entry import AbstractWorker, Entry
from harness.runner.groups import MOST_ALIVE, groups_of
from harness.runner.job import ERRORS, BlockJob, CaseJob, Outcome
from harness.runner.judge import Judge, failed
from harness.runner.lanes import Lanes, lanes_for
from harness.runner.timing import Timer
from harness.runner.worker import CaseFailure


@dataclass(frozen=True, kw_only=True)
class BlockRunner:
    """Measures a block. `spawn` starts a case's child in a lane; the child `references` draws y0 and θ of the block,
    which are given to all, and computes references.

    `cores` are those at hand: as many children as they allow build, and are measured for memory and error, at a time.
    At most `most_alive` cases, and the anchor of their times, have a child at a time. `say` hears what is going on, for
    the progress line.
    """

    job: BlockJob
    registry: Registry
    spawn: Callable[[Case, Values, int], AbstractWorker[CaseTarget]]
    references: AbstractWorker[ReferenceTarget]
    cores: int
    say: Callable[[str], None]
    most_alive: int = MOST_ALIVE
    clock: Clock = time.monotonic

    def run(self) -> Iterator[Outcome]:
        """Outcomes as they become known. Children are ended when their case is done, or when the caller stops.

        A case whose time is known has an outcome at once, and a later one when the rest is known.
        """
        jobs = self.job.cases
        lanes = Lanes(lanes_for(jobs[0].case, self.cores))
        workers: list[AbstractWorker[CaseTarget]] = []
        try:
            try:
                values = self.references.call(ReferenceTarget.values, jobs[0].case)
            except CaseFailure as failure:
                yield from (Outcome(job.case, failure.status, failure.reason, Measured()) for job in jobs)
                return
            finished: list[Entry] = []
            groups = groups_of(jobs, self.most_alive)
            timer = self._timer(len(groups))
            for group in groups:
                entries: list[Entry] = []
                yield from self._build_all(group, values, lanes, workers, entries)
                yield from timer.time(entries)
                yield from self._unfinished(entries)
                rest = [entry for entry in entries if entry is not timer.anchor]
                yield from self._finish_all(rest, lanes, finished)
            if timer.anchor is not None:
                yield from self._finish_all([timer.anchor], lanes, finished)
            if finished:
                self._judge.compare(finished, values)
                yield from map(self._judge.outcome, finished)
        finally:
            for worker in workers:
                worker.close()
            lanes.close()

    def _timer(self, groups: int) -> Timer:
        return Timer(
            self.job,
            groups=groups,
            baseline=lambda case: self.registry.method(case.method).baseline,
            clock=self.clock,
            say=self.say,
        )

    def _build_all(
        self,
        group: list[CaseJob],
        values: Values,
        lanes: Lanes,
        workers: list[AbstractWorker[CaseTarget]],
        entries: list[Entry],
    ) -> Iterator[Outcome]:
        """Add an entry for each case that could be built to `entries`, in the order of the group."""
        for built in lanes.map(lambda job, lane: self._build(job, values, lane, workers), group):
            if isinstance(built, Outcome):
                yield built
            else:
                entries.append(built)
        entries.sort(key=lambda entry: group.index(entry.job))

    def _unfinished(self, entries: list[Entry]) -> Iterator[Outcome]:
        """What is known of cases after they were timed, where more is to be measured."""
        for entry in entries:
            pending = tuple(name for name in entry.job.measure if name != "time" and self._measures(entry.job, name))
            if pending and entry.series.seconds:
                yield Outcome(entry.case, "ok", entry.note, entry.so_far(), pending)

    def _finish_all(self, entries: list[Entry], lanes: Lanes, finished: list[Entry]) -> Iterator[Outcome]:
        """Outcomes after memory and gradients. Entries whose gradients wait for references are added to `finished`."""
        for found in lanes.map(self._finish, entries):
            if isinstance(found, Outcome):
                yield found
            elif found.gradients:
                finished.append(found)
                if "memory" in found.job.measure:
                    pending = tuple(name for name in found.job.measure if name in ERRORS)
                    yield Outcome(found.case, "ok", found.note, found.so_far(), pending)
            else:
                yield self._judge.outcome(found)

    def _build(
        self, job: CaseJob, values: Values, lane: int, workers: list[AbstractWorker[CaseTarget]]
    ) -> Entry | Outcome:
        case = job.case
        try:
            worker = self.spawn(case, values, lane)
        except CaseFailure as failure:
            return Outcome(case, failure.status, failure.reason, Measured())
        workers.append(worker)
        if self._judged(job) and not {"time", "memory"} & set(job.measure):
            return Entry(job, worker, Measured())  # errors are of gradients on the shared path, built for it
        self.say(f"building {case.label}")
        try:
            built = worker.call(CaseTarget.build, splitmix(self.job.seed, 1))
            measured = Measured(
                compile_seconds=built.compile_seconds,
                first_call_seconds=built.first_call_seconds,
                parameters=built.parameters,
            )
            if not built.finite:
                worker.close()
                return Outcome(case, "diverged", "the loss or its gradient isn't finite", measured)
            repeats = 1
            if "time" in job.measure:
                repeats = warm_up(built.first_call_seconds, lambda calls: worker.call(CaseTarget.time, calls))
            worker.call(CaseTarget.move, 0)
            return Entry(job, worker, measured, Series(repeats), note=built.note)
        except CaseFailure as failure:
            worker.close()
            return Outcome(case, failure.status, failure.reason, Measured())

    def _finish(self, entry: Entry, lane: int) -> Entry | Outcome:
        """Memory, and the gradients whose errors are to be measured. The child isn't needed after it."""
        try:
            entry.worker.call(CaseTarget.move, lane)
            if "memory" in entry.job.measure:
                self.say(f"memory of {entry.case.label}")
                memory = entry.worker.call(CaseTarget.memory)
                entry.measured = replace(
                    entry.measured,
                    peak_bytes=memory.peak,
                    xla_temp_bytes=memory.xla_temp,
                    retained_bytes=memory.retained,
                )
            if self._judged(entry.job):
                for replicate, seed in enumerate(self._judge.path_seeds(entry.case)):
                    self.say(f"gradient of {entry.case.label}, path {replicate + 1}")
                    entry.gradients.append(entry.worker.call(CaseTarget.gradient, seed))
                entry.measured = replace(entry.measured, parameters=entry.gradients[0].theta.size)
        except CaseFailure as failure:
            return failed(entry, failure)
        entry.worker.close()
        return entry

    @functools.cached_property
    def _judge(self) -> Judge:
        budget = self.job.budget
        return Judge(
            self.references,
            continuous=any("error" in job.measure for job in self.job.cases),
            reference_steps=budget.reference_steps,
            replicates=budget.replicates,
            seed=self.job.seed,
            exact=lambda case: self.registry.method(case.method).exact,
            library=self._library_with_steps_of_its_own,
            say=self.say,
        )

    def _library_with_steps_of_its_own(self, case: Case) -> str:
        """Of a model alone: problems have no such cases."""
        if self.job.model is None or self.registry.backends[case.backend].native:
            return ""
        interpolated = self.registry.method(case.method).interpolates and not isinstance(case.observations, int)
        return case.backend if interpolated or case.stepping == "adaptive" else ""

    def _measures(self, job: CaseJob, name: str) -> bool:
        """Whether this is measured of the case, for which its suite asks."""
        return name not in ERRORS or self._judged(job)

    def _judged(self, job: CaseJob) -> bool:
        """Whether errors of the case are measured. A baseline has no gradient of its own."""
        return bool(ERRORS & set(job.measure)) and not self.registry.method(job.case.method).baseline
