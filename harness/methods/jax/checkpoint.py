"""Checkpointing in √N segments, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS, whole_observations
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Checkpoint(AbstractGradientMethod):
    """Keep the state at the start of each of about √N segments, recompute a segment when its gradient is due.

    Exact; one more forward solve. Chen et al. 2016 (arXiv 1604.06174), section 4. Segments are of equal length, a
    divisor of the steps between observations, so that memory is O(max(√N, observations)), and O(N) where these steps
    are a large prime number.
    """

    name = "jax/checkpoint"
    framework = "jax"
    summary = "backpropagation with a checkpoint every √N steps"
    samplers = NATIVE_SAMPLERS
    step_seconds = 1.5e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return whole_observations(case)

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

    from harness.methods.jax._segment import backward, forward_keeping
    from harness.methods.jax._solve import add, zeros

    length = _segment_length(solve.steps, solve.stride)
    segments = solve.stride // length

    def step(state, n, dW, _):
        return solve.step(n, state, theta, dW), None

    def to_observation(state, k):
        def one_segment(state, s):
            start = k * solve.stride + s * length
            return solve.scan(step, state, noise, start=start, count=length)[0], state

        state, kept = jax.lax.scan(one_segment, state, jnp.arange(segments))
        return state, (state[0], kept)

    def from_observation(carry, inputs):
        (y_bar, *rest), theta_bar = carry
        k, cotangent, kept = inputs

        def one_segment(carry, inputs):
            s, state = inputs
            start = k * solve.stride + s * length
            _, states = forward_keeping(solve, state, theta, noise, start=start, count=length)
            return backward(solve, carry, theta, states, start=start, count=length), None

        carry = ((y_bar + cotangent, *rest), theta_bar)
        return jax.lax.scan(one_segment, carry, (jnp.arange(segments), kept), reverse=True)

    state, init_vjp = jax.vjp(solve.init, y0, theta)
    observations = jnp.arange(solve.case.observations)
    state, (ys, kept) = jax.lax.scan(to_observation, state, observations)
    loss, cotangents = solve.loss_cotangents(ys)
    carry, _ = jax.lax.scan(
        from_observation, (zeros(state), zeros(theta)), (observations, cotangents, kept), reverse=True
    )
    y0_bar, theta_bar = init_vjp(carry[0])
    return loss, add(carry[1], theta_bar), y0_bar


def _segment_length(steps: int, stride: int) -> int:
    """The divisor of `stride` nearest to √steps, by ratio."""
    divisors = [n for n in range(1, stride + 1) if stride % n == 0]
    return min(divisors, key=lambda n: max(n * n / steps, steps / (n * n)))
