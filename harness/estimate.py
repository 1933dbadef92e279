"""About how long a case takes, before anything is measured."""

from __future__ import annotations

from harness.registry import Registry
from harness.runner.job import ERRORS, CaseJob
from harness.suite import Budget

USUAL_SIZE = 640
"""Numbers in a state, batch × dim, at which methods state their seconds a step."""
PEERS = 25
"""The children of a block share its seconds."""
STARTING = 0.6
"""Seconds for which a case's child starts: half of what it takes, as two start side by side on two cores."""


def expected_seconds(job: CaseJob, budget: Budget, registry: Registry) -> float:
    """A rough guess at what a case takes: starting, compiling, one call, its rounds, memory and errors."""
    case, measure = job.case, set(job.measure)
    method = registry.method(case.method)
    backend = registry.backends[case.backend]
    size = max(0.05 if backend.compiled else 0.6, (case.batch * case.dim / USUAL_SIZE) ** 0.7)
    one = case.steps * method.step_seconds * size * max(registry.schemes[case.scheme].work(case.noise)) ** 0.7
    building = backend.building_seconds_cuda if case.device == "cuda" else backend.building_seconds_cpu
    seconds = STARTING
    if {"time", "memory"} & measure:
        seconds += building + 1.5 * one
    if "time" in measure:
        seconds += one + min((budget.rounds - 1) * one, budget.seconds / PEERS)  # the first round is always taken
    if "memory" in measure:
        seconds += 1.5 * one
    if ERRORS & measure and not method.baseline:
        replicates = 1 if case.noise == "none" else budget.replicates
        reference = 0.5 if "error" in measure else 0.1
        seconds += building + reference + replicates * (one + 0.01)
    return seconds
