"""Checkpointing in √N segments, forwards and backwards, JAX."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from harness.brownian.jax_noise import Index, NoiseArgument
from harness.methods.jax._blocks import Blocks, room
from harness.methods.jax._solve import Bars, JaxSolve, Observed, Y, add, zeros
from harness.methods.jax._sweep import AbstractSweep
from harness.scheme import State


@dataclass(frozen=True)
class CheckpointSweep(AbstractSweep):
    """Scan over segments, keeping their first states; backwards, each is run again with all its states kept."""

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """Keep the state before each segment."""
        segments = _segments(solve, theta, noise)

        def one_segment(
            carry: tuple[State[Array], Observed], segment: Index
        ) -> tuple[tuple[State[Array], Observed], State[Array]]:
            state, ys = carry
            return segments.sweep(segment, state, ys), state

        carry = (solve.init(y0, theta), room(y0, solve.count))
        (_, ys), kept = jax.lax.scan(one_segment, carry, jnp.arange(segments.count))
        return ys, (y0, kept)

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """Reverse the segments, the last one first."""
        segments = _segments(solve, theta, noise)

        def one_segment(bars: Bars, inputs: tuple[Index, State[Array]]) -> tuple[Bars, None]:
            segment, state = inputs
            return segments.reverse(segment, state, bars, ys_bar), None

        y0, kept = residual
        state, init_vjp = jax.vjp(solve.init, y0, theta)
        inputs = (jnp.arange(segments.count), kept)
        (state_bar, theta_bar), _ = jax.lax.scan(one_segment, (zeros(state), zeros(theta)), inputs, reverse=True)
        y0_bar, product = init_vjp(state_bar)
        return y0_bar, add(theta_bar, product)


def _segments(solve: JaxSolve, theta: PyTree, noise: NoiseArgument) -> Blocks:
    return Blocks(solve, theta, noise, math.isqrt(solve.steps - 1) + 1)
