"""About how long the cases and the references of a model take, from the one solve that was timed when it was built."""

from __future__ import annotations

from collections.abc import Sequence

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
COARSEST = {True: 2**9, False: 2**11}
FINER = {True: 2, False: 4}
COARSEST_OF_AN_ODE, FINER_OF_AN_ODE = 2**8, 2
"""The first grid that judges a reference has so many steps at least, and so many times those of the case. That of an
SDE depends on whether the noise commutes. See `harness.reference.sde.refined` and `harness.reference.ode.compared`."""
CONTROLLED = 500
"""Steps of a smooth ODE that are controlled. They are chosen, solved, and solved once more, cut in two."""


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


def reference_steps(facts: ModelFacts, steps: Sequence[int]) -> int:
    """The steps of all grids that the continuous references of cases with so many steps take at least.

    Cases share grids: those of an SDE are powers of two, those of an ODE the case's steps times one, and the controlled
    steps of an ODE are the same for all.
    """
    if facts.noise == "none":
        first = {_doubled(count, max(COARSEST_OF_AN_ODE, FINER_OF_AN_ODE * count)) for count in steps}
        return sum(first) + 4 * CONTROLLED
    least, times = COARSEST[facts.commutative], FINER[facts.commutative]
    first = {_doubled(4, max(least, times * count)) for count in steps}
    return 2 * sum({level for count in first for level in (count // 4, count, 4 * count)})


def _doubled(start: int, least: int) -> int:
    while start < least:
        start *= 2
    return start


def reference_seconds(facts: ModelFacts, steps: int) -> float:
    """Grids with so many steps in all."""
    return REFERENCE_FACTOR * facts.seconds * steps
