"""About how long the cases and the references of a model take, from the one solve that was timed when it was built."""

from __future__ import annotations

from harness.method import AbstractGradientMethod
from harness.models.facts import ModelFacts
from harness.registry import Registry
from harness.scheme import AbstractScheme

CALLS = 14
"""Gradients that are computed of a case: rounds, memory, errors."""
BUILDS = 4.0
"""A model takes about twice as long to build as a problem, and is built twice: for its time and for its gradient."""
STARTING_SECONDS = 2.0
"""To start the two children of a case."""
REFERENCE_FACTOR = 6.0
"""A step of the reference takes about so many times a step of the model: in float64, twice forwards, corrected."""
LEAST_REFERENCE = {True: 5400, False: 22000}
"""Steps that a reference of an SDE takes at least, by whether its noise commutes: see `harness.reference.sde`."""
LEAST_REFERENCE_OF_AN_ODE = 2500


def case_seconds(
    facts: ModelFacts,
    method: AbstractGradientMethod,
    scheme: AbstractScheme,
    steps: int,
    device: str,
    registry: Registry,
) -> float:
    """All that is done of one case."""
    backend = registry.backends[method.name.partition("/")[0]]
    building = backend.building_seconds_cuda if device == "cuda" else backend.building_seconds_cpu
    known = registry.methods[f"{facts.framework}/backprop"].step_seconds  # what `facts.seconds` were measured with
    work = sum(scheme.work(facts.noise)) / 2
    one = facts.seconds * steps * max(0.5, method.step_seconds / known) * work
    return STARTING_SECONDS + BUILDS * building + CALLS * one


def reference_seconds(facts: ModelFacts, steps: int | None = None) -> float:
    """A continuous reference with so many steps in all; with those that it takes at least."""
    if steps is None:
        steps = LEAST_REFERENCE_OF_AN_ODE if facts.noise == "none" else LEAST_REFERENCE[facts.commutative]
    return REFERENCE_FACTOR * facts.seconds * steps
