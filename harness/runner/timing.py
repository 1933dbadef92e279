"""Paired rounds of the cases of a block, and the anchor by which its groups are compared."""

from __future__ import annotations

import random
import statistics
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

from harness.case import Case
from harness.measuring.time import Clock, Rounds, Series
from harness.runner.child import CaseTarget
from harness.runner.entry import Entry
from harness.runner.job import BlockJob, Outcome
from harness.runner.judge import failed
from harness.runner.worker import CaseFailure


class Timer:
    """Times the groups of a block, one after the other.

    The first group's anchor, its fastest baseline or else its fastest case, is timed again within each later group. A
    case keeps the anchor's samples of its own rounds. Where the anchor fails, the group at hand has one of its own, and
    its cases aren't paired with those before. `baseline` says whether a case's method is one.
    """

    def __init__(
        self, job: BlockJob, *, groups: int, baseline: Callable[[Case], bool], clock: Clock, say: Callable[[str], None]
    ) -> None:
        self._job, self._groups, self._baseline, self._clock, self._say = job, groups, baseline, clock, say
        self._order = random.Random(f"{job.seed} {job.id}")
        self._all = sum("time" in one.measure for one in job.cases)
        self._pairing = ""
        self.anchor: Entry | None = None
        """Its child is needed until the last group has been timed."""

    def time(self, entries: list[Entry]) -> Iterator[Outcome]:
        """Take the samples of a group. A case that fails leaves `entries` with its outcome; the others go on."""
        members = [entry for entry in entries if "time" in entry.job.measure]
        if not members:
            return
        anchor = None if self.anchor is None else replace(self.anchor, series=Series(self.anchor.series.repeats))
        timed = [*members, *([anchor] if anchor is not None else [])]
        budget = self._job.budget
        seconds = budget.seconds * len(members) / max(self._all, len(members))
        before = self._calibration(timed)
        rounds = Rounds(budget.rounds, seconds, budget.precision, self._clock)
        for n, entry in rounds.turns(timed, self._order):
            self._say(f"timing {len(timed)} methods, round {n + 1}: {self._job.setting}")
            try:
                entry.take_sample()
            except CaseFailure as failure:
                timed.remove(entry)
                if entry is anchor:
                    assert self.anchor is not None
                    yield failed(self.anchor, failure)
                    anchor = self.anchor = None
                else:
                    entries.remove(entry)
                    yield failed(entry, failure)
        speed = (*before, *self._calibration(timed))
        for entry in timed:
            entry.measured = replace(entry.measured, calibration_seconds=speed)
        self._pair([entry for entry in members if entry in timed], anchor)

    @staticmethod
    def _calibration(timed: list[Entry]) -> tuple[float, ...]:
        """How fast the machine is now, as one of the children sees it; empty where that one fails."""
        try:
            return (timed[0].worker.call(CaseTarget.calibration),) if timed else ()
        except CaseFailure:
            return ()

    def _pair(self, members: list[Entry], anchor: Entry | None) -> None:
        """Note with which samples those of the members are paired."""
        if anchor is None:
            self._pairing = uuid.uuid4().hex[:12]
            if self._groups > 1 and members:
                anchor = self.anchor = min(members, key=self._preference)
        taken = () if anchor is None else tuple(anchor.series.seconds)
        for entry in members:
            entry.measured = replace(entry.measured, pairing=self._pairing, anchor_seconds=taken)

    def _preference(self, entry: Entry) -> tuple[bool, float]:
        return not self._baseline(entry.case), statistics.median(entry.series.seconds)
