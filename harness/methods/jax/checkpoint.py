"""Checkpointing in √N segments, JAX."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Checkpoint(AbstractGradientMethod):
    """Keep the state at the start of each of about √N segments, recompute a segment when its gradient is due.

    Exact; memory O(√N); one more forward solve. Chen, Xu, Zhang & Guestrin, "Training deep nets with sublinear
    memory cost", 2016 (arXiv 1604.06174), section 4.
    """

    name = "jax/checkpoint"
    framework = "jax"
    summary = "backpropagation with a checkpoint every √N steps"
    samplers = NATIVE_SAMPLERS
    step_seconds = 1.5e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve

        return compile_gradient(_gradient, JaxSolve(problem, scheme, case), path)


def _gradient(solve, y0, theta, noise):
    """Scan over segments, keeping their first states; backwards, each is run again with all its states kept."""
    import jax
    import jax.numpy as jnp

    from harness.methods.jax._blocks import Blocks, room
    from harness.methods.jax._solve import add, zeros

    segments = Blocks(solve, theta, noise, math.isqrt(solve.steps - 1) + 1)

    def forward(carry, segment):
        state, ys = carry
        return segments.sweep(segment, state, ys), state

    def backward(bars, inputs):
        segment, state = inputs
        return segments.reverse(segment, state, bars, cotangents), None

    state, init_vjp = jax.vjp(solve.init, y0, theta)
    numbers = jnp.arange(segments.count)
    (state, ys), kept = jax.lax.scan(forward, (state, room(y0, solve.case.observations)), numbers)
    loss, cotangents = solve.loss_cotangents(ys)
    bars, _ = jax.lax.scan(backward, (zeros(state), zeros(theta)), (numbers, kept), reverse=True)
    y0_bar, product = init_vjp(bars[0])
    return loss, add(bars[1], product), y0_bar
