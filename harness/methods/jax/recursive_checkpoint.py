"""Binomial checkpointing, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS, whole_observations
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class RecursiveCheckpoint(AbstractGradientMethod):
    """Keep ⌈log2 N⌉ + 1 states at most, and recompute the others in the order of Revolve.

    Griewank & Walther 2000 (Algorithm 799); `harness/methods/_revolve.py` has the schedule, whose unit is a block of
    steps, reversed with the state before each kept. The schedule is data that one loop reads, so that compiling takes
    the same time for any number of steps. Exact; memory O(log N); O(N log N) evaluations.
    """

    name = "jax/recursive-checkpoint"
    framework = "jax"
    summary = "backpropagation with O(log N) checkpoints, binomial (Revolve)"
    samplers = NATIVE_SAMPLERS
    step_seconds = 2e-4

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
    """Loop over the stored states forwards, then over the legs of the schedule backwards.

    The loops' bounds are data, which no automatic differentiation has to go through.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    from harness.methods._revolve import AT_HAND, BLOCK, default_checkpoints, revolve
    from harness.methods.jax._solve import add, zeros

    N, stride = solve.steps, solve.stride
    length = min(BLOCK, N)
    blocks = -(-N // length)
    schedule = revolve(blocks, default_checkpoints(N))

    def at(tree, i):
        return jax.tree.map(lambda x: x[i], tree)

    def put(tree, value, i):
        return jax.tree.map(lambda x, v: jax.lax.dynamic_update_index_in_dim(x, v, i, 0), tree, value)

    def room(state, count):
        return jax.tree.map(lambda x: jnp.zeros((count, *x.shape), x.dtype), state)

    def over_block(block, body, carry, *, reverse=False):
        """Loop `body(i, n, dW, carry)` over the steps n of a block, i counting them from 0; the last may be short."""
        first = block * length
        count = jnp.minimum(length, N - first)
        dWs = solve.draw(noise, first, length)

        def one_step(j, carry):
            i = count - 1 - j if reverse else j
            return body(i, first + i, at(dWs, i), carry)

        return jax.lax.fori_loop(0, count, one_step, carry)

    def sweep(block, carry):
        """Forwards over a block, writing the observed states; within a stride the last one written stays."""

        def body(_, n, dW, carry):
            state, ys = carry
            state = solve.step(n, state, theta, dW)
            return state, put(ys, state[0], n // stride)

        return over_block(block, body, carry)

    def advance(block, state):
        return over_block(block, lambda _, n, dW, state: solve.step(n, state, theta, dW), state)

    def reverse(block, state, carry):
        """The cotangents over a block, from the state before it."""

        def forward(i, n, dW, carry):
            state, kept = carry
            return solve.step(n, state, theta, dW), put(kept, state, i)

        def backward(i, n, dW, carry):
            (y_bar, *rest), theta_bar = carry
            observed = (n + 1) % stride == 0
            y_bar = y_bar + jnp.where(observed, cotangents[n // stride], 0)
            _, vjp = jax.vjp(lambda state, theta: solve.step(n, state, theta, dW), at(kept, i), theta)
            state_bar, product = vjp((y_bar, *rest))
            return state_bar, add(theta_bar, product)

        _, kept = over_block(block, forward, (state, room(state, length)))
        return over_block(block, backward, carry, reverse=True)

    def when(condition, function, carry):
        """A loop of one trip or none: XLA updates a loop's carry in place, where it copies a conditional's."""
        return jax.lax.fori_loop(0, condition.astype(int), lambda _, carry: function(carry), carry)

    def to_next(carry, inputs):
        """Store the state, and go to where the next one is stored or the last block starts."""
        state, ys, checkpoints = carry
        slot, start, stop = inputs
        checkpoints = put(checkpoints, state, slot)
        state, ys = jax.lax.fori_loop(start, stop, sweep, (state, ys))
        return (state, ys, checkpoints), None

    def one_leg(carry, leg):
        state, checkpoints, bars = carry
        slot, start, stop, store = leg
        state = jax.tree.map(lambda kept, at_hand: jnp.where(slot == AT_HAND, at_hand, kept[slot]), checkpoints, state)
        state = jax.lax.fori_loop(start, stop, advance, state)
        checkpoints = when(store, lambda checkpoints: put(checkpoints, state, slot + 1), checkpoints)
        bars = when(~store, lambda bars: reverse(stop, state, bars), bars)
        return (state, checkpoints, bars), None

    stored = np.array(schedule.stored)
    legs = tuple(np.array([getattr(leg, name) for leg in schedule.legs]) for name in ("slot", "start", "stop", "store"))
    slots = max(len(stored), *(leg.slot + 2 for leg in schedule.legs if leg.store), 1)

    state, init_vjp = jax.vjp(solve.init, y0, theta)
    carry = (state, room(y0, solve.case.observations), room(state, slots))
    inputs = (np.arange(len(stored)), stored, np.append(stored[1:], blocks - 1))
    (state, ys, checkpoints), _ = jax.lax.scan(to_next, carry, inputs)
    _, ys = sweep(blocks - 1, (state, ys))
    loss, cotangents = solve.loss_cotangents(ys)
    carry = (state, checkpoints, (zeros(state), zeros(theta)))
    (_, _, (state_bar, theta_bar)), _ = jax.lax.scan(one_leg, carry, legs)
    y0_bar, product = init_vjp(state_bar)
    return loss, add(theta_bar, product), y0_bar
