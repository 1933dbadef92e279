"""Binomial checkpointing: the schedule is Revolve's, the gradient backpropagation's."""

from __future__ import annotations

import math

import pytest
from gradients import counting_problem, distance, gradient, problem_of, read
from tolerances import exact_tolerance

from harness.methods._revolve import AT_HAND, default_checkpoints, revolve

pytestmark = pytest.mark.usefixtures("usual_compilation")


def repetitions(steps: int, checkpoints: int) -> int:
    """r, the least with C(c + r, c) ≥ N."""
    return next(r for r in range(steps) if math.comb(checkpoints + r, checkpoints) >= steps)


def follow(steps: int, checkpoints: int) -> tuple[int, list[int]]:
    """Carry a schedule out on numbers in place of states: how many advances, and the steps in order of reversal."""
    schedule = revolve(steps, checkpoints)
    slots = dict(enumerate(schedule.stored))
    at_hand, advances, reversed_steps = steps - 1, steps - 1, []
    assert schedule.stored[0] == 0
    assert all(0 <= step < steps for step in schedule.stored)
    assert len(slots) <= checkpoints
    for leg in schedule.legs:
        state = at_hand if leg.slot == AT_HAND else slots[leg.slot]
        assert state == leg.start <= leg.stop
        advances += leg.stop - leg.start
        slots = {slot: step for slot, step in slots.items() if slot <= leg.slot or leg.slot == AT_HAND}
        if leg.store:
            slots[leg.slot + 1] = leg.stop
            assert len(slots) <= checkpoints
        else:
            reversed_steps.append(leg.stop)
    return advances, reversed_steps


@pytest.mark.parametrize("checkpoints", range(1, 9))
def test_the_schedule_takes_the_fewest_advances(checkpoints):
    """Griewank & Walther 2000: t(N, c) = r N − β(c + 1, r − 1)."""
    for steps in range(1, 201):
        advances, order = follow(steps, checkpoints)
        assert order == list(reversed(range(steps)))
        r = repetitions(steps, checkpoints) if steps > 1 else 0
        assert advances == r * steps - (math.comb(checkpoints + r, checkpoints + 1) if r else 0)


def test_the_formula_is_the_minimum_over_all_first_parts():
    """Dynamic programming: t(N, c) is the least j + t(N − j, c − 1) + t(j, c) over j."""
    best = {(1, c): 0 for c in range(1, 6)} | {(n, 1): n * (n - 1) // 2 for n in range(1, 41)}
    for c in range(2, 6):
        for n in range(2, 41):
            best[n, c] = min(j + best[n - j, c - 1] + best[j, c] for j in range(1, n))
            assert follow(n, c)[0] == best[n, c]


def test_the_default_number_of_checkpoints_is_logarithmic():
    assert [default_checkpoints(n) for n in (1, 2, 3, 4, 5, 1024, 1025)] == [1, 2, 3, 3, 4, 11, 12]
    assert max(repetitions(2**k, default_checkpoints(2**k)) for k in range(1, 17)) == 6


@pytest.mark.parametrize(("steps", "checkpoints"), [(0, 1), (1, 0)])
def test_nothing_to_do_it_with_is_refused(steps, checkpoints):
    with pytest.raises(ValueError, match="at least 1"):
        revolve(steps, checkpoints)


EULER = {"noise": "none", "scheme": "euler", "observations": 4}


@pytest.mark.parametrize("checkpoints", [2, 3, 5])
@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_suite_sets_the_number_of_checkpoints(registry, make_case, framework, checkpoints):
    """20 blocks: t(20, c) advances of a block as Griewank & Walther 2000 count them; and the same gradient.

    The last block's first pass isn't one of their advances, nor is a reversal, which in JAX runs a block twice.
    """
    blocks, size = 20, 8
    expected = gradient(registry, make_case(method=f"{framework}/backprop", steps=blocks * size, **EULER))
    case = make_case(method=f"{framework}/recursive-checkpoint", steps=blocks * size, **EULER)
    problem, calls = counting_problem(registry, case)
    method = registry.method(f"{case.method}(checkpoints={checkpoints})")
    run = method.build(problem, registry.schemes["euler"], case, None)
    calls.clear()
    found = read(method, run())
    r = repetitions(blocks, checkpoints)
    advances = r * blocks - math.comb(checkpoints + r, checkpoints + 1)
    reversals = {"torch": 1, "jax": 2}[framework] * blocks
    assert calls["f"] == size * (advances + 1 + reversals)
    assert distance(found, expected) <= exact_tolerance()


@pytest.mark.parametrize("backend", ["torch", "jax", "torch-compile", "diffrax"])
def test_no_checkpoint_at_all_is_refused(registry, backend):
    with pytest.raises(ValueError, match="checkpoints must be at least 1, given 0"):
        registry.method(f"{backend}/recursive-checkpoint(checkpoints=0)")


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_own_noise_in_single_precision(registry, make_case, backend):
    """The recomputed steps must meet the noise they met before; rounding of float32 over 40 steps."""
    axes = {"steps": 40, "dtype": "float32", "brownian": "own"}
    expected = gradient(registry, make_case(method=f"{backend}/checkpoint", **axes))
    found = gradient(registry, make_case(method=f"{backend}/recursive-checkpoint", **axes))
    assert distance(found, expected) <= 1e-5


def test_memory_grows_by_a_state_a_doubling(registry, make_case):
    """From 64 to 1024 steps four more checkpoints; half as much again for Python's lists and the schedule."""
    from harness.measuring.memory import peak_bytes_cpu

    peaks = []
    for steps in (64, 1024):
        case = make_case(method="torch/recursive-checkpoint", steps=steps, dim=10, batch=64, brownian="own")
        run = registry.methods[case.method].build(problem_of(registry, case), registry.schemes["heun"], case, None)
        run()
        peaks.append(peak_bytes_cpu(run))
    state = 10 * 64 * 8
    assert peaks[1] - peaks[0] <= 6 * state


def test_compiled_code_does_not_grow_with_the_steps(registry, make_case):
    """Four times as many steps: the schedule's table and two checkpoints more, but the program is the same."""
    from harness.methods.jax._compile import compile_gradient
    from harness.methods.jax._recursive_checkpoint import RecursiveCheckpointSweep
    from harness.methods.jax._solve import JaxSolve
    from harness.methods.jax._sweep import loss_gradient

    lines, sizes = [], []
    axes = {"method": "jax/recursive-checkpoint", "noise": "none", "scheme": "euler", "dim": 10, "batch": 64}
    for steps in (128, 512):
        case = make_case(steps=steps, **axes)
        solve = JaxSolve(problem_of(registry, case), registry.schemes["euler"], case)
        compiled = compile_gradient(loss_gradient(RecursiveCheckpointSweep()), solve, None)
        text = compiled.executable.as_text()
        assert text is not None
        lines.append(text.count("\n"))
        sizes.append(compiled.temp_bytes())
    assert lines[1] <= 1.02 * lines[0]
    assert sizes[1] - sizes[0] <= 3 * 10 * 64 * 8
