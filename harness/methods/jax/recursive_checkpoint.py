"""Binomial checkpointing, JAX."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ClassVar

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class RecursiveCheckpoint(AbstractGradientMethod):
    """Keep a given number of states at most, ⌈log2 N⌉ + 1 unless told, and recompute the others in Revolve's order.

    Griewank & Walther 2000 (Algorithm 799); `harness/methods/_revolve.py` has the schedule, whose unit is a block of
    steps, reversed with the state before each kept. The schedule is data that one loop reads, so that compiling takes
    the same time for any number of steps. Exact; memory O(log N); O(N log N) evaluations.
    """

    name = "jax/recursive-checkpoint"
    framework = "jax"
    summary = "backpropagation with O(log N) checkpoints, binomial (Revolve)"
    samplers = NATIVE_SAMPLERS
    checkpoints: ClassVar[int | None] = None
    """How many states are kept at most; a plugin that derives a class with another name may set a number, 1 at least.

    Time grows as the number falls: docs/methods/recursive-checkpoint.md has the formula.
    """
    step_seconds = 2e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods._revolve import default_checkpoints
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve

        checkpoints = default_checkpoints(case.steps) if self.checkpoints is None else self.checkpoints
        return compile_gradient(_with_checkpoints(checkpoints), JaxSolve(problem, scheme, case), path)


@functools.cache
def _with_checkpoints(checkpoints):
    """The same function for the same number, which compile_gradient knows again."""
    return functools.partial(_gradient, checkpoints)


def _gradient(checkpoints, solve, y0, theta, noise):
    """Loop over the stored states forwards, then over the legs of the schedule backwards."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from harness.methods._revolve import AT_HAND, BLOCK, revolve
    from harness.methods.jax._blocks import Blocks, put, room
    from harness.methods.jax._solve import add, zeros

    blocks = Blocks(solve, theta, noise, min(BLOCK, solve.steps))
    schedule = revolve(blocks.count, checkpoints)

    def when(condition, function, carry):
        """A loop of one trip or none: XLA updates a loop's carry in place, where it copies a conditional's."""
        return jax.lax.fori_loop(0, condition.astype(int), lambda _, carry: function(carry), carry)

    def to_next(carry, inputs):
        """Store the state, and go to where the next one is stored or the last block starts."""
        state, ys, kept = carry
        slot, start, stop = inputs
        kept = put(kept, state, slot)
        state, ys = jax.lax.fori_loop(start, stop, lambda block, carry: blocks.sweep(block, *carry), (state, ys))
        return (state, ys, kept), None

    def one_leg(carry, leg):
        state, kept, bars = carry
        slot, start, stop, store = leg
        state = jax.tree.map(lambda kept, at_hand: jnp.where(slot == AT_HAND, at_hand, kept[slot]), kept, state)
        state = jax.lax.fori_loop(start, stop, blocks.advance, state)
        kept = when(store, lambda kept: put(kept, state, slot + 1), kept)
        bars = when(~store, lambda bars: blocks.reverse(stop, state, bars, cotangents), bars)
        return (state, kept, bars), None

    stored = np.array(schedule.stored)
    legs = tuple(np.array([getattr(leg, name) for leg in schedule.legs]) for name in ("slot", "start", "stop", "store"))
    slots = max(len(stored), *(leg.slot + 2 for leg in schedule.legs if leg.store), 1)

    state, init_vjp = jax.vjp(solve.init, y0, theta)
    carry = (state, room(y0, solve.case.observations), room(state, slots))
    inputs = (np.arange(len(stored)), stored, np.append(stored[1:], blocks.count - 1))
    (state, ys, kept), _ = jax.lax.scan(to_next, carry, inputs)
    _, ys = blocks.sweep(blocks.count - 1, state, ys)
    loss, cotangents = solve.loss_cotangents(ys)
    (_, _, (state_bar, theta_bar)), _ = jax.lax.scan(one_leg, (state, kept, (zeros(state), zeros(theta))), legs)
    y0_bar, product = init_vjp(state_bar)
    return loss, add(theta_bar, product), y0_bar
