"""One block: its cases built, timed in turn, then measured for memory and error, one record each."""

from __future__ import annotations

import functools
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.case import Block, Case
from harness.initial import Values
from harness.measure.statistics import narrow_enough
from harness.random import splitmix
from harness.record import Measured
from harness.runner.child import CaseTarget, ReferenceTarget
from harness.runner.entry import AbstractWorker, Entry, Outcome
from harness.runner.judge import Judge, failed
from harness.runner.lanes import Lanes, lanes_for
from harness.runner.worker import CaseFailure
from harness.suite import Budget

SAMPLE_SECONDS = 0.01
"""A sample is at least about so long: shorter runs are repeated within it."""


@dataclass(frozen=True)
class BlockRunner:
    """Measures blocks. `spawn` starts a case's child in a lane; the child `references` draws y0 and θ of a block, which
    are given to all, and computes references.

    `cores` are those at hand: as many children as they allow build, and are measured for memory and error, at a time.
    `baseline` says whether a method has no gradient of its own, `exact` whether it claims that of the discrete solve;
    `say` hears what is going on, for the progress line.
    """

    measure: Sequence[str]
    budget: Budget
    seed: int
    spawn: Callable[[Case, Values, int], AbstractWorker[CaseTarget]]
    references: AbstractWorker[ReferenceTarget]
    cores: int
    baseline: Callable[[Case], bool]
    exact: Callable[[Case], bool]
    clock: Callable[[], float]
    say: Callable[[str], None]

    def run(self, block: Block) -> Iterator[Outcome]:
        """Outcomes as they become known. Children are ended when their case is done, or when the caller stops."""
        lanes = Lanes(lanes_for(block.cases[0], self.cores))
        entries: list[Entry] = []
        workers: list[AbstractWorker[CaseTarget]] = []
        try:
            try:
                values = self.references.call(ReferenceTarget.values, block.cases[0])
            except CaseFailure as failure:
                yield from (Outcome(case, failure.status, failure.reason, Measured()) for case in block.cases)
                return
            for built in lanes.map(lambda case, lane: self._build(case, values, lane, workers), block.cases):
                if isinstance(built, Outcome):
                    yield built
                else:
                    entries.append(built)
            entries.sort(key=lambda entry: block.cases.index(entry.case))
            if "time" in self.measure:
                yield from self._time(entries, block)
            finished: list[Entry] = []
            for found in lanes.map(self._finish, entries):
                if isinstance(found, Outcome):
                    yield found
                elif found.gradients:
                    finished.append(found)
                else:
                    yield self._judge.outcome(found)
            if finished:
                self._judge.compare(finished, values)
                yield from map(self._judge.outcome, finished)
        finally:
            for worker in workers:
                worker.close()
            lanes.close()

    def _build(
        self, case: Case, values: Values, lane: int, workers: list[AbstractWorker[CaseTarget]]
    ) -> Entry | Outcome:
        worker = self.spawn(case, values, lane)
        workers.append(worker)
        if self._judges and not {"time", "memory"} & set(self.measure) and not self.baseline(case):
            return Entry(case, worker, Measured())  # errors are of gradients on the shared path, built for it
        self.say(f"building {case.label}")
        try:
            built = worker.call(CaseTarget.build, splitmix(self.seed, 1))
            measured = Measured(
                compile_seconds=built.compile_seconds,
                first_call_seconds=built.first_call_seconds,
                parameters=built.parameters,
            )
            if not built.finite:
                worker.close()
                return Outcome(case, "diverged", "the loss or its gradient isn't finite", measured)
            repeats = self._repeats(worker, built.first_call_seconds)
            worker.call(CaseTarget.move, 0)
            return Entry(case, worker, measured, repeats=repeats, note=built.note)
        except CaseFailure as failure:
            worker.close()
            return Outcome(case, failure.status, failure.reason, Measured())

    def _repeats(self, worker: AbstractWorker[CaseTarget], first_call_seconds: float) -> int:
        """Runs a sample. The first call may be slow for reasons of its own, so that a short one is tried again."""
        if first_call_seconds > 1:
            return 1
        once = worker.call(CaseTarget.time, 1).wall_seconds
        return max(1, round(SAMPLE_SECONDS / max(once, 1e-6)))

    def _time(self, entries: list[Entry], block: Block) -> Iterator[Outcome]:
        """Paired rounds, each in an order of its own. A case that fails leaves, the others go on."""
        order = random.Random(f"{self.seed} {block.id}")
        pairing = uuid.uuid4().hex[:12]
        for entry in entries:
            entry.measured = replace(entry.measured, pairing=pairing)
        end = self.clock() + self.budget.seconds
        for n in range(self.budget.rounds):
            if n and (self.clock() > end or all(narrow_enough(e.seconds, self.budget.precision) for e in entries)):
                return
            self.say(f"timing {len(entries)} methods, round {n + 1}: {block.cases[0].setting}")
            for entry in order.sample(entries, len(entries)):
                try:
                    sample = entry.worker.call(CaseTarget.time, entry.repeats)
                except CaseFailure as failure:
                    entries.remove(entry)
                    yield failed(entry, failure)
                    continue
                entry.seconds.append(sample.wall_seconds / entry.repeats)
                entry.wall_seconds += sample.wall_seconds
                entry.cpu_seconds += sample.cpu_seconds

    def _finish(self, entry: Entry, lane: int) -> Entry | Outcome:
        """Memory, and the gradients whose errors are to be measured. The child isn't needed after it."""
        try:
            entry.worker.call(CaseTarget.move, lane)
            if "memory" in self.measure:
                self.say(f"memory of {entry.case.label}")
                memory = entry.worker.call(CaseTarget.memory)
                entry.measured = replace(
                    entry.measured,
                    peak_bytes=memory.peak,
                    xla_temp_bytes=memory.xla_temp,
                    retained_bytes=memory.retained,
                )
            if self._judges and not self.baseline(entry.case):
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
        budget = self.budget
        return Judge(
            self.references,
            continuous="error" in self.measure,
            reference_steps=budget.reference_steps,
            replicates=budget.replicates,
            seed=self.seed,
            exact=self.exact,
            say=self.say,
        )

    @property
    def _judges(self) -> bool:
        """Whether errors are measured at all."""
        return bool({"error", "adjoint_error"} & set(self.measure))
