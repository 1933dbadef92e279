"""Checkpointing in segments, whose ends needn't be where the state is observed nor divide the steps."""

from __future__ import annotations

import pytest
from gradients import counting_problem, problem_of, read

pytestmark = pytest.mark.usefixtures("usual_compilation")


@pytest.mark.parametrize("observations", [1, 13])
def test_jax_evaluates_a_step_three_times(registry, make_case, observations):
    """Forwards, to have the states of a segment, and for the product."""
    case = make_case(
        method="jax/checkpoint", noise="none", scheme="rk4", steps=13 * observations, observations=observations
    )
    problem, calls = counting_problem(registry, case)
    method = registry.methods[case.method]
    run = method.build(problem, registry.schemes["rk4"], case, None)
    calls.clear()
    read(method, run())
    assert calls["f"] == 3 * 4 * case.steps


@pytest.mark.parametrize(("few", "many", "observations"), [(251, 4021, 1), (256, 4096, 128)])
def test_memory_of_jax_grows_as_the_root(registry, make_case, few, many, observations):
    """Sixteen times the steps, four times the states, for primes and with many observations; the constants apart.

    16 and 64 states of the segments' starts, and as many of a segment with its noise, which while it is drawn takes up
    to three times its size. The observed states are as many whatever the steps.
    """
    sizes = []
    for steps in (few, many):
        case = make_case(
            method="jax/checkpoint", noise="diagonal", scheme="heun", dim=16, batch=64, steps=steps,
            observations=observations, brownian="own",
        )  # fmt: skip
        run = registry.methods[case.method].build(problem_of(registry, case), registry.schemes["heun"], case, None)
        sizes.append(run.temp_bytes())
    state = 16 * 64 * 8
    assert sizes[1] - sizes[0] <= (1 + 1 + 3) * (64 - 16) * state
