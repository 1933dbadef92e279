"""Backpropagation through adaptive steps whose observed states are interpolated, JAX."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from harness.brownian.jax_noise import Index
from harness.methods.jax._solve import JaxSolve, Observed, Y, add
from harness.stepping import Adaptive
from harness.stepping.chained import Chained
from harness.stepping.dense import Dense


@dataclass(frozen=True)
class Observations:
    """Where observations lie: the first tick at or after each, and how far before it the observation is, in ticks."""

    marks: Int[Array, " observations"]
    gaps: Float[Array, " observations"]

    @classmethod
    def of(cls, dense: Dense, dtype: jnp.dtype) -> Observations:
        """In the precision of a case."""
        return cls(jnp.asarray(dense.marks(), jnp.int32), jnp.asarray(dense.gaps(), dtype))

    def within(self, start: Index, stop: Index) -> tuple[Int[Array, ""], Int[Array, ""]]:
        """The numbers of the first observation after `start`, and of the first after `stop`."""
        first, past = (jnp.searchsorted(self.marks, jnp.asarray(x), side="right") for x in (start, stop))
        return first.astype(jnp.int32), past.astype(jnp.int32)

    def part(self, k: Index, start: Index, stop: Index) -> Float[Array, ""]:
        """Where observation k lies in a step between two ticks, from 0 to 1."""
        dtype = self.gaps.dtype
        return ((self.marks[k] - start).astype(dtype) - self.gaps[k]) / jnp.asarray(stop - start).astype(dtype)


@dataclass(frozen=True)
class KeptSteps:
    """The steps of a solve: the ticks where they start, the states there, how many they are, and the state at t1."""

    starts: Int[Array, " most"]
    states: Float[Array, "most batch dim"]
    count: Int[Array, ""]
    end: Y


def dense_backward(
    solve: JaxSolve, adaptive: Adaptive, theta: PyTree, steps: KeptSteps, ys_bar: Observed
) -> tuple[Y, PyTree, Int[Array, ""]]:
    """∂L/∂y0, ∂L/∂θ, and the evaluations of f. Zeros where there is no step.

    An observed state depends on the state at the start of its step and on all stages. The last stage, f at the end of
    the step, is the first of the next one: what it receives is handed to that step, the one gone over before. So every
    step is evaluated again once, without its last stage; that of the last step is evaluated by itself.
    """
    estimate, dense = adaptive.estimate, adaptive.dense
    assert isinstance(estimate, Chained)
    assert dense is not None
    observations = Observations.of(dense, ys_bar.dtype)
    last, unit = jnp.int32(adaptive.ticks.count), jnp.asarray(adaptive.ticks.mean, ys_bar.dtype)
    nothing = jnp.zeros_like(ys_bar[0])

    def time(tick: Index) -> Float[Array, ""]:
        return jnp.asarray(adaptive.ticks.time(jnp, tick), ys_bar.dtype)

    def received(n: Index, stop: Index) -> tuple[Y, list[Y]]:
        """What the start of step n and its stages receive from the states observed within it."""
        start = steps.starts[n]
        dt = (stop - start).astype(unit.dtype) * unit

        def one(k: Index, bars: tuple[Y, list[Y]]) -> tuple[Y, list[Y]]:
            y_bar, stages = bars
            part = observations.part(k, start, stop)
            stages = list(stages)
            for stage, weight in dense.weights_at(part):
                stages[stage] = stages[stage] + weight * dt * ys_bar[k]
            return y_bar + ys_bar[k], stages

        first, past = observations.within(start, stop)
        past = jnp.where(n >= 0, past, first)
        return jax.lax.fori_loop(first, past, one, (nothing, [nothing] * len(dense.weights)))

    def one(i: Index, carry: PyTree) -> PyTree:
        y_bar, theta_bar, stop, (from_start, from_stages) = carry
        n = steps.count - 1 - i
        start, y = steps.starts[n], steps.states[n]
        dt = (stop - start).astype(unit.dtype) * unit
        before = received(n - 1, start)

        def again(y: Y, theta: PyTree) -> tuple[Y, list[Y]]:
            terms = solve.terms(theta)
            return estimate.earlier_stages(terms, (time(start), dt), y, terms.f(time(start), y))

        bars = [from_stages[0] + before[1][-1], *from_stages[1:-1]]
        from_y, product = jax.vjp(again, y, theta)[1]((y_bar, bars))
        return from_y + from_start, add(theta_bar, product), start, before

    final = received(steps.count - 1, last)
    from_last = jax.vjp(lambda y, theta: solve.terms(theta).f(time(last), y), steps.end, theta)[1]
    carry = *from_last(final[1][-1]), last, final
    y_bar, theta_bar, *_ = jax.lax.fori_loop(0, steps.count, one, carry)
    return y_bar, theta_bar, steps.count * estimate.evaluations("none") + 1
