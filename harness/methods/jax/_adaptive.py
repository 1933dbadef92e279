"""Solves with adaptive steps, forwards and backwards, JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.arithmetic import combine, minus
from harness.brownian.jax_noise import at_tick
from harness.methods._adaptive import MOST_STEPS, Adaptive, Attempt, State, Step
from harness.methods._backward import backward_scheme
from harness.methods.jax._adjoint import adjoint_over
from harness.methods.jax._solve import JaxSolve, add, zeros
from harness.schemes._runge_kutta import AbstractRungeKutta, stages, with_error_stage


@dataclass(frozen=True)
class Tried:
    """An attempt: from `start` to `stop`, in ticks gone over, the states being that before it and after each part.

    `count` attempts were kept before it.
    """

    start: Any
    stop: Any
    count: Any
    states: list[State]


@dataclass(frozen=True)
class Walked:
    """What came of a solve. `attempts` counts the rejected ones too; `finished` is false where it was given up."""

    state: State
    held: Any
    attempts: Any
    kept: Any
    finished: Any


Update = Callable[[Any, Tried], tuple[State, Any]]
"""(what is held beside the state, an attempt) -> the state to go on from, and what is held then."""


def walk(solve: JaxSolve, attempt: Attempt, noise: Any, state: State, held: Any, update: Update) -> Walked:
    """From one end to the other.

    `update` hears of every attempt. The state that it returns is dropped where the attempt is rejected; what is held is
    not, since to choose would be to copy it: the next attempt must write to the same places.
    """
    adaptive, dtype = attempt.adaptive, solve.case.dtype

    def path(elapsed: Any) -> Any:
        return path_at(solve, noise, adaptive.tick_at(elapsed))

    def unfinished(carry: Any) -> Any:
        elapsed, kept, *_ = carry
        return (elapsed < adaptive.ticks) & (kept < adaptive.most)

    def body(carry: Any) -> Any:
        elapsed, kept, attempts, proposal, previous, W, state, held = carry
        length = adaptive.length(jnp, proposal, elapsed).astype(elapsed.dtype)
        middle = None if adaptive.embedded else path(elapsed + length // 2)
        end = path(elapsed + length)
        t = time_at(solve, adaptive, adaptive.tick_at(elapsed))
        parts, error = attempt(t, length.astype(dtype) * adaptive.tick, state, (W, middle, end))
        fits, proposal, previous = adaptive.control(jnp, length, error, previous)
        new, held = update(held, Tried(elapsed, elapsed + length, kept, [state, *parts]))
        elapsed, kept, W, state = jax.tree.map(
            lambda x, y: jnp.where(fits, x, y), (elapsed + length, kept + 1, end, new), (elapsed, kept, W, state)
        )
        return elapsed, kept, attempts + 1, proposal.astype(dtype), previous.astype(dtype), W, state, held

    zero = jnp.int32(0)
    carry = (zero, zero, zero, jnp.asarray(adaptive.first, dtype), jnp.ones((), dtype), path(zero), state, held)
    elapsed, kept, attempts, _, _, _, state, held = jax.lax.while_loop(unfinished, body, carry)
    return Walked(state, held, attempts, kept, elapsed == adaptive.ticks)


def path_at(solve: JaxSolve, noise: Any, tick: Any) -> Any:
    """W at a tick, None for an ODE."""
    problem = solve.problem
    return at_tick(noise, tick, solve.case, problem.noise_dim, problem.t1 - problem.t0)


def time_at(solve: JaxSolve, adaptive: Adaptive, tick: Any) -> Any:
    """The time of a tick, in the case's precision."""
    return jnp.asarray(solve.problem.t0 + tick * adaptive.tick, solve.case.dtype)


def observe(adaptive: Adaptive, ys: Any, tried: Tried) -> Any:
    """The observed states, (observations, batch, dim), with the last state of the attempt where one is due there."""
    due = tried.stop % adaptive.stride == 0
    place = jnp.where(due, tried.stop // adaptive.stride - 1, len(ys))
    return ys.at[place].set(tried.states[-1][0], mode="drop")


def forward_step(solve: JaxSolve, adaptive: Adaptive, theta: Any) -> tuple[Step, int]:
    """A step with its embedded error, where that is the estimate, and how often it evaluates f."""
    scheme, terms = solve.scheme, solve.terms(theta)
    if not (adaptive.embedded and isinstance(scheme, AbstractRungeKutta)):
        return lambda t, dt, state, dW: (scheme.step(terms, t, dt, state, dW), None), _count(solve)
    tableau, b_error = with_error_stage(scheme), scheme.b_error or ()

    def step(t: Any, dt: Any, state: State, dW: Any) -> tuple[State, Any]:
        increments = stages(tableau, terms, t, dt, state[0], dW)
        return (combine(tableau.b, increments, state[0]),), (combine(b_error, increments),)

    return step, len(tableau.b)


def backward_step(solve: JaxSolve, adaptive: Adaptive, scheme: AbstractRungeKutta, theta: Any) -> tuple[Step, int]:
    """As `forward_step`, of (y, a, ∂L/∂θ so far) from t to t − dt."""
    tableau, b_error = with_error_stage(scheme) if adaptive.embedded else scheme, scheme.b_error or ()

    def step(t: Any, dt: Any, state: State, dW: Any) -> tuple[State, Any]:
        y, *bars = state

        def stage(i: int, increments: list[Any]) -> Any:
            return combine(minus(tableau.a[i]), increments, y)

        found = adjoint_over(solve, tableau, theta, (t, dt, dW), (bars[0], bars[1]), state=stage)
        bars, increments, products = found
        end = (combine(minus(tableau.b), increments, y), *bars)
        return end, (combine(b_error, increments), combine(b_error, products)) if adaptive.embedded else None

    return step, len(tableau.b)


def backprop(solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, ...]:
    """Through the kept steps, whose lengths count as constants. The state before each is held, and where it starts."""
    adaptive = Adaptive.of(solve.problem, solve.scheme, solve.case)
    step, count = forward_step(solve, adaptive, theta)
    state, init_vjp = jax.vjp(solve.init, y0, theta)

    def update(held: Any, tried: Tried) -> tuple[State, Any]:
        ys, starts, states = held
        parts = adaptive.parts
        for part, before in enumerate(tried.states[:-1]):
            place = tried.count * parts + part
            starts = starts.at[place].set(tried.start + part * (tried.stop - tried.start) // parts)
            states = jax.tree.map(lambda kept, x, place=place: kept.at[place].set(x), states, before)
        return tried.states[-1], (observe(adaptive, ys, tried), starts, states)

    held = (
        jnp.zeros((solve.count, *y0.shape), y0.dtype),
        jnp.zeros(MOST_STEPS, jnp.int32),
        jax.tree.map(lambda x: jnp.zeros((MOST_STEPS, *x.shape), x.dtype), state),
    )
    walked = walk(solve, Attempt(adaptive, jnp, step, step), noise, state, held, update)
    ys, starts, states = walked.held
    loss, cotangents = solve.loss_cotangents(ys)
    steps = walked.kept * adaptive.parts

    def back(i: Any, carry: Any) -> Any:
        (y_bar, *rest), theta_bar, stop, W1 = carry
        n = steps - 1 - i
        start, state = starts[n], jax.tree.map(lambda x: x[n], states)
        W0 = path_at(solve, noise, start)
        t, dt = time_at(solve, adaptive, start), (stop - start).astype(y0.dtype) * adaptive.tick
        observed = cotangents[jnp.maximum(stop // adaptive.stride - 1, 0)]
        y_bar = jnp.where(stop % adaptive.stride == 0, y_bar + observed, y_bar)

        def change(state: State, theta: Any) -> State:
            dW = None if W0 is None else W1 - W0
            return solve.scheme.step(solve.terms(theta), t, dt, state, dW)

        state_bar, product = jax.vjp(change, state, theta)[1]((y_bar, *rest))
        return state_bar, add(theta_bar, product), start, W0

    last = jnp.int32(adaptive.ticks)
    carry = zeros(state), zeros(theta), last, path_at(solve, noise, last)
    state_bar, theta_bar, *_ = jax.lax.fori_loop(0, steps, back, carry)
    y0_bar, product = init_vjp(state_bar)
    evaluations = walked.attempts * adaptive.evaluations(count) + steps * _count(solve)
    return (*_finished(walked.finished, (loss, add(theta_bar, product), y0_bar)), evaluations)


def adjoint(solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, ...]:
    """Forwards, and backwards on the same path, each with steps of its own; the observed states are held.

    The errors of y and of a are controlled, and that of ∂L/∂θ isn't: it is an integral that nothing else depends on
    (Kidger, Chen & Lyons, "Hey, that's not an ODE", ICML 2021).
    """
    ahead = Adaptive.of(solve.problem, solve.scheme, solve.case)
    scheme = backward_scheme(solve.scheme, solve.problem)
    behind = Adaptive.of(solve.problem, scheme, solve.case, sign=-1)
    step, count = forward_step(solve, ahead, theta)

    def watch(ys: Any, tried: Tried) -> tuple[State, Any]:
        return tried.states[-1], observe(ahead, ys, tried)

    ys = jnp.zeros((solve.count, *y0.shape), y0.dtype)
    there = walk(solve, Attempt(ahead, jnp, step, step), noise, solve.init(y0, theta), ys, watch)
    ys = there.held
    loss, cotangents = solve.loss_cotangents(ys)
    evaluations = there.attempts * ahead.evaluations(count)

    def reset(_: Any, tried: Tried) -> tuple[State, Any]:
        """To the forward solution, at every observation."""
        y, a, theta_bar = tried.states[-1]
        k = len(ys) - 1 - tried.stop // behind.stride
        due = (tried.stop % behind.stride == 0) & (k >= 0)
        return (jnp.where(due, ys[k], y), jnp.where(due, a + cotangents[k], a), theta_bar), ()

    step, count = backward_step(solve, behind, scheme, theta)
    attempt = Attempt(behind, jnp, step, step, controlled=2)
    again = walk(solve, attempt, noise, (ys[-1], cotangents[-1], zeros(theta)), (), reset)
    _, a, theta_bar = again.state
    evaluations += again.attempts * behind.evaluations(count)
    return (*_finished(there.finished & again.finished, (loss, theta_bar, a)), evaluations)


def _count(solve: JaxSolve) -> int:
    """How often a step evaluates f."""
    return solve.scheme.work(solve.problem.noise)[0]


def _finished(finished: Any, found: Any) -> Any:
    """Not a number where a solve was given up."""
    return jax.tree.map(lambda x: jnp.where(finished, x, jnp.nan), found)
