"""An executor that measures nothing: a stand-in for a machine on the other side of the seam."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import session
from harness.case import Case
from harness.record import Measured
from harness.runner.executor import AbstractExecutor, Progress
from harness.runner.job import ERRORS, NO_REFERENCE, BlockJob, CaseJob, Outcome
from harness.store import Run
from harness.suite import Budget

Answer = Callable[[Case], tuple[str, str]]


class FakeExecutor(AbstractExecutor):
    """Makes up values for what it is asked, and remembers the jobs. `answer` gives a case's status and reason.

    `interrupt_after` so many cases it is interrupted: `halfway`, when the time of the next one is known and no more.
    Jobs and outcomes go through pickle, as they would on their way to another machine.
    """

    def __init__(
        self, answer: Answer = lambda _: ("ok", ""), interrupt_after: int | None = None, *, halfway: bool = False
    ) -> None:
        self.jobs: list[BlockJob] = []
        self._answer, self._interrupt_after, self._halfway = answer, interrupt_after, halfway
        self._pairings = (f"pairing {n}" for n in itertools.count())

    @property
    def asked(self) -> dict[str, tuple[str, ...]]:
        """What was to be measured, by method and steps."""
        cases = [one for job in self.jobs for one in job.cases]
        return {f"{one.case.method} {one.case.steps}": one.measure for one in cases}

    def execute(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[Outcome]:
        """Two samples, whatever the budget; as many errors as it has paths."""
        count = itertools.count()
        for job in jobs:
            received: BlockJob = pickle.loads(pickle.dumps(job))
            assert received == job
            self.jobs.append(received)
            pairing = next(self._pairings)
            for one in received.cases:
                if next(count) == self._interrupt_after:
                    if self._halfway:
                        timed = _measured(CaseJob(one.case, ("time",)), received.budget, pairing)
                        yield Outcome(one.case, "ok", "", timed, tuple(name for name in one.measure if name != "time"))
                    raise KeyboardInterrupt
                status, reason = self._answer(one.case)
                if NO_REFERENCE in reason:
                    one = CaseJob(one.case, tuple(name for name in one.measure if name not in ERRORS))
                measured = _measured(one, received.budget, pairing) if status in ("ok", "unstable") else Measured()
                yield pickle.loads(pickle.dumps(Outcome(one.case, status, reason, measured)))


def recorded(suite: Mapping[str, Any], folder: Path) -> Run:
    """A run of a suite in `folder/results`, with made-up values. The suite's file is in the folder."""
    path = folder / f"{suite['name']}.yaml"
    path.write_text(json.dumps(suite))
    opened = session.open_run(session.plan(session.resolve(session.read(path))), results=folder / "results")
    return session.execute(opened, executor=FakeExecutor()).run


def _measured(one: CaseJob, budget: Budget, pairing: str) -> Measured:
    values: dict[str, object] = {"host": "fake"}
    if "time" in one.measure:
        values |= {"seconds": (1.0,) + (2.0,) * (min(budget.rounds, 4) - 1), "repeats": 1, "pairing": pairing}
    if "memory" in one.measure:
        values |= {"peak_bytes": 1000}
    paths = 1 if one.case.noise == "none" else budget.replicates
    if {"error", "adjoint_error"} & set(one.measure):
        values |= {"adjoint_error_theta": (1e-6,) * paths, "adjoint_error_y0": (1e-6,) * paths}
    if "error" in one.measure:
        values |= dict.fromkeys(("gradient_error_theta", "gradient_error_y0"), (0.1,) * paths)
        values |= {"reference_error": 0.05}
    return Measured(**values)  # type: ignore[arg-type]
