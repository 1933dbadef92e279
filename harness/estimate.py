"""About how long a case takes, before anything is measured."""

from __future__ import annotations

from harness.registry import Registry
from harness.runner.job import ERRORS, CaseJob
from harness.suite import Budget

USUAL_SIZE = 640
"""Numbers in a state, batch × dim, at which methods state their seconds a step."""
BUILDING_CPU = {"jax": 0.6, "diffrax": 2.0, "torch-compile": 40.0}
BUILDING_CUDA = {"jax": 8.0, "diffrax": 9.0, "torch-compile": 8.0, "torch": 1.0}
"""Seconds that a case takes to be built, by backend: on a GPU as a share of what several take side by side."""
PEERS = 25
"""The children of a block share its seconds."""


def expected_seconds(job: CaseJob, budget: Budget, registry: Registry) -> float:
    """A rough guess at what a case takes: starting, compiling, one call, its rounds, memory and errors."""
    case, measure = job.case, set(job.measure)
    method = registry.method(case.method)
    compiled = case.backend in ("jax", "diffrax", "torch-compile")
    size = max(0.05 if compiled else 0.6, (case.batch * case.dim / USUAL_SIZE) ** 0.7)
    one = case.steps * method.step_seconds * size * max(registry.schemes[case.scheme].work(case.noise)) ** 0.7
    building = (BUILDING_CUDA if case.device == "cuda" else BUILDING_CPU).get(case.backend, 0.1)
    seconds = 0.0
    if {"time", "memory"} & measure:
        seconds += building + 2 * one
    if "time" in measure:
        seconds += min(budget.rounds * one, budget.seconds / PEERS)
    if "memory" in measure:
        seconds += 2 * one
    if ERRORS & measure and not method.baseline:
        replicates = 1 if case.noise == "none" else budget.replicates
        reference = 0.5 if "error" in measure else 0.1
        seconds += building + reference + replicates * (one + 0.01)
    return seconds
