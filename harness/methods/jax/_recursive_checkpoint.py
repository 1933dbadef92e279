"""Binomial checkpointing, forwards and backwards, JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.methods._revolve import AT_HAND, BLOCK, Schedule, default_checkpoints, revolve
from harness.methods.jax._blocks import Blocks, put, room
from harness.methods.jax._solve import Bars, Carry, JaxSolve, Observed, Y, add, zeros
from harness.methods.jax._sweep import AbstractSweep
from harness.scheme import State

_Forwards: TypeAlias = tuple[State[Array], Observed, State[Array]]
"""The state, the observed states and the stored states, each of these with a leading axis of slots."""
_Backwards: TypeAlias = tuple[State[Array], State[Array], Bars]
"""The state, the stored states and the cotangents."""


@dataclass(frozen=True)
class RecursiveCheckpointSweep(AbstractSweep):
    """Loop over the stored states forwards, then over the legs of Revolve's schedule backwards.

    At most `checkpoints` states are kept; ⌈log2 N⌉ + 1 where it is None.
    """

    checkpoints: int | None = None

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """Keep the states that the schedule stores, and the one before the last block."""
        blocks, schedule = self._plan(solve, theta, noise)

        def to_next(carry: _Forwards, inputs: PyTree) -> tuple[_Forwards, None]:
            """Store the state, and go to where the next one is stored or the last block starts."""
            state, ys, kept = carry
            slot, start, stop = inputs
            kept = put(kept, state, slot)
            state, ys = jax.lax.fori_loop(start, stop, lambda block, carry: blocks.sweep(block, *carry), (state, ys))
            return (state, ys, kept), None

        stored = np.array(schedule.stored)
        slots = max(len(stored), *(leg.slot + 2 for leg in schedule.legs if leg.store), 1)
        state = solve.init(y0, theta)
        carry = (state, room(y0, solve.count), room(state, slots))
        inputs = (np.arange(len(stored)), stored, np.append(stored[1:], blocks.count - 1))
        (state, ys, kept), _ = jax.lax.scan(to_next, carry, inputs)
        _, ys = blocks.sweep(blocks.count - 1, state, ys)
        return ys, (y0, state, kept)

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """Follow the legs."""
        blocks, schedule = self._plan(solve, theta, noise)

        def one_leg(carry: _Backwards, leg: PyTree) -> tuple[_Backwards, None]:
            state, kept, bars = carry
            slot, start, stop, store = leg
            state = jax.tree.map(lambda kept, at_hand: jnp.where(slot == AT_HAND, at_hand, kept[slot]), kept, state)
            state = jax.lax.fori_loop(start, stop, blocks.advance, state)
            kept = _when(store, lambda kept: put(kept, state, slot + 1), kept)
            bars = _when(~store, lambda bars: blocks.reverse(stop, state, bars, ys_bar), bars)
            return (state, kept, bars), None

        y0, state, kept = residual
        names = ("slot", "start", "stop", "store")
        legs = tuple(np.array([getattr(leg, name) for leg in schedule.legs]) for name in names)
        carry = (state, kept, (zeros(state), zeros(theta)))
        (_, _, (state_bar, theta_bar)), _ = jax.lax.scan(one_leg, carry, legs)
        _, init_vjp = jax.vjp(solve.init, y0, theta)
        y0_bar, product = init_vjp(state_bar)
        return y0_bar, add(theta_bar, product)

    def _plan(self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument) -> tuple[Blocks, Schedule]:
        blocks = Blocks(solve, theta, noise, min(BLOCK, solve.steps))
        checkpoints = default_checkpoints(solve.steps) if self.checkpoints is None else self.checkpoints
        return blocks, revolve(blocks.count, checkpoints)


def _when(condition: Bool[Array, ""], function: Callable[[Carry], Carry], carry: Carry) -> Carry:
    """A loop of one trip or none: XLA updates a loop's carry in place, where it copies a conditional's."""
    return jax.lax.fori_loop(0, condition.astype(int), lambda _, carry: function(carry), carry)
