"""Executing a plan: what the run holds already is left out, the rest is measured, each record written at once."""

from __future__ import annotations

import functools
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from harness.case import Case, blocks
from harness.initial import Values
from harness.plan import Plan
from harness.record import Record
from harness.registry import Registry
from harness.runner.block import BlockRunner
from harness.runner.child import CaseTarget, ProbeTarget, ReferenceTarget
from harness.runner.references import References
from harness.runner.worker import CaseFailure, Worker, start_server
from harness.store import Run
from harness.suite import Suite

REFERENCE_TIMEOUT_SECONDS = 600.0


class Listener(Protocol):
    """Hears how the run goes: the progress display, or nothing."""

    def doing(self, what: str) -> None:
        """What is going on now."""
        ...

    def done(self, case: Case, status: str, expected_seconds: float) -> None:
        """A case is finished."""
        ...


@dataclass(frozen=True)
class Summary:
    """How many cases came to which status, those that the run held before among them; whether it was interrupted."""

    statuses: Counter[str]
    interrupted: bool


def missing(plan: Plan, run: Run) -> Plan:
    """The plan less what the run holds a record of."""
    held = {row["case"] for row in run.rows()}
    return Plan(
        tuple(case for case in plan.cases if case.id not in held),
        tuple((case, reason) for case, reason in plan.unsupported if case.id not in held),
    )


def execute(suite: Suite, plan: Plan, run: Run, registry: Registry, listener: Listener) -> Summary:
    """Measure a plan into a run. A Ctrl-C ends it cleanly: what was measured is kept."""
    plan = missing(plan, run)

    def write(case: Case, status: str, reason: str, **measured: Any) -> None:
        run.append(Record(run=run.id, suite=suite.name, case=case, status=status, reason=reason, **measured))
        listener.done(case, status, expected_seconds(suite, registry, case))

    interrupted = False
    try:
        for case, reason in plan.unsupported:
            write(case, "unsupported", reason)
        if plan.cases:
            listener.doing("importing the frameworks")
            with _block_runner(suite, run, registry, listener.doing) as runner:
                for block in blocks(plan.cases):
                    for outcome in runner.run(block):
                        write(outcome.case, outcome.status, outcome.reason, measured=outcome.measured)
    except KeyboardInterrupt:
        interrupted = True
    return Summary(Counter(row["status"] for row in run.rows()), interrupted)


@contextmanager
def _block_runner(suite: Suite, run: Run, registry: Registry, say: Callable[[str], None]) -> Iterator[BlockRunner]:
    """A block runner with real children."""
    context = start_server()
    log = run.folder / "children.log"
    limits: dict[str, Any] = {"memory": int(suite.budget.memory), "log": log}

    def spawn(case: Case, values: Values, lane: int) -> Worker[CaseTarget]:
        make = functools.partial(CaseTarget, case, suite.plugins, values, lane)
        return Worker(context, make, timeout=suite.budget.timeout, **limits)

    def spawn_references() -> Worker[ReferenceTarget]:
        make = functools.partial(ReferenceTarget, suite.plugins)
        return Worker(context, make, timeout=REFERENCE_TIMEOUT_SECONDS, **limits)

    references = References(spawn_references)
    try:
        yield BlockRunner(
            measure=suite.measure,
            budget=suite.budget,
            seed=suite.seed,
            spawn=spawn,
            references=references,
            baseline=lambda case: registry.method(case.method).baseline,
            exact=lambda case: registry.method(case.method).exact,
            cores=len(os.sched_getaffinity(0)),
            clock=time.monotonic,
            say=say,
        )
    finally:
        references.close()


def cuda_devices() -> dict[str, str]:
    """The CUDA device's name by framework that sees one, found out in a child."""
    worker = Worker(start_server(), ProbeTarget, timeout=120.0, memory=2**40)
    try:
        return worker.call(ProbeTarget.cuda)
    except CaseFailure:
        return {}
    finally:
        worker.close()


USUAL_SIZE = 640
"""Numbers in a state, batch × dim, at which methods state their seconds a step."""


def expected_seconds(suite: Suite, registry: Registry, case: Case) -> float:
    """A rough guess at what a case takes: starting, compiling, one call, its rounds, memory and errors."""
    method = registry.method(case.method)
    backend = registry.backends[case.backend]
    size = max(0.05 if backend.compiled else 0.6, (case.batch * case.dim / USUAL_SIZE) ** 0.7)
    one = case.steps * method.step_seconds * size * max(registry.schemes[case.scheme].work(case.noise)) ** 0.7
    building = backend.building_seconds_cuda if case.device == "cuda" else backend.building_seconds_cpu
    peers = 25  # children of a block share its seconds
    seconds = 0.0
    if {"time", "memory"} & set(suite.measure):
        seconds += building + 2 * one
    if "time" in suite.measure:
        seconds += min(suite.budget.rounds * one, suite.budget.seconds / peers)
    if "memory" in suite.measure:
        seconds += 2 * one
    if {"error", "adjoint_error"} & set(suite.measure) and not method.baseline:
        replicates = 1 if case.noise == "none" else suite.budget.replicates
        reference = 0.5 if "error" in suite.measure else 0.1
        seconds += building + reference + replicates * (one + 0.01)
    return seconds
