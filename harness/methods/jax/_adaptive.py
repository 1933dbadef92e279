"""Solves with adaptive steps as sweeps, JAX."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from harness.brownian.jax_noise import Index, NoiseArgument, at_tick
from harness.methods._backward import backward_scheme
from harness.methods.jax._adaptive_adjoint import backward_steps
from harness.methods.jax._dense import KeptSteps, Observations, dense_backward
from harness.methods.jax._solve import JaxSolve, Observed, Y, add, zeros
from harness.methods.jax._sweep import AbstractSweep
from harness.scheme import State
from harness.stepping import Adaptive
from harness.stepping.adaptive import MOST_STEPS, Attempt
from harness.stepping.dense import Dense
from harness.stepping.estimate import Step


@dataclass(frozen=True)
class Tried:
    """An attempt: from `start` to `stop`, in ticks gone over, the states being that before it and after each part.

    dt is its length in time, `count` attempts were kept before it, and `kept` says whether it is.
    """

    start: Int[Array, ""]
    stop: Int[Array, ""]
    dt: Float[Array, ""]
    count: Int[Array, ""]
    kept: Bool[Array, ""]
    states: list[State[Array]]


@dataclass(frozen=True)
class Walked:
    """The result of a solve. `attempts` counts the rejected ones too; `finished` is false where it was given up."""

    state: State[Array]
    held: PyTree
    attempts: Int[Array, ""]
    kept: Int[Array, ""]
    finished: Bool[Array, ""]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Told:
    """What a solve tells of itself: how often it evaluated f, and whether it reached its end."""

    evaluations: Int[Array, ""]
    finished: Bool[Array, ""]


class AbstractAdaptiveSweep(AbstractSweep):
    """A sweep over adaptive steps that counts the evaluations of f. Nothing is a number where a solve was given up."""

    @abstractmethod
    def ahead(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree, Told]:
        """The observed states, what `back` starts from, and what the solve tells."""

    @abstractmethod
    def back(
        self,
        solve: JaxSolve,
        theta: PyTree,
        noise: NoiseArgument,
        residual: PyTree,
        ys_bar: Observed,
        finished: Bool[Array, ""],
    ) -> tuple[Y, PyTree, Told]:
        """∂L/∂y0, ∂L/∂θ and what this way tells. It takes no step unless the solve was `finished`."""

    def states(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> Observed:
        """The observed states, nothing else kept."""
        walked, _ = observed(solve, y0, theta, noise)
        return _if(walked.finished, walked.held)

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """As `ahead`."""
        ys, residual, told = self.ahead(solve, y0, theta, noise)
        return _if(told.finished, ys), (residual, told.finished)

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """As `back`."""
        residual, finished = residual
        y0_bar, theta_bar, told = self.back(solve, theta, noise, residual, ys_bar, finished)
        return _if(finished & told.finished, (y0_bar, theta_bar))

    def gradient(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[PyTree, ...]:
        """That of the problem's loss, with the evaluations of f on both ways."""
        ys, residual, there = self.ahead(solve, y0, theta, noise)
        loss, ys_bar = solve.loss_cotangents(ys)
        y0_bar, theta_bar, again = self.back(solve, theta, noise, residual, ys_bar, there.finished)
        found = _if(there.finished & again.finished, (loss, theta_bar, y0_bar))
        return *found, there.evaluations + again.evaluations


@dataclass(frozen=True)
class AdaptiveBackpropSweep(AbstractAdaptiveSweep):
    """Through the kept steps, whose lengths count as constants. The state before each is held, and where it starts."""

    def ahead(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree, Told]:
        """In arrays as long as the most steps that are allowed."""
        adaptive = adaptive_of(solve)
        step = forward_step(solve, adaptive, theta)
        estimate, parts = adaptive.estimate, adaptive.estimate.parts

        def update(held: PyTree, tried: Tried) -> tuple[State[Array], PyTree]:
            ys, starts, states = held
            for part, before in enumerate(tried.states[:-1]):
                place, before = tried.count * parts + part, estimate.scheme_state(before)
                starts = starts.at[place].set(tried.start + part * (tried.stop - tried.start) // parts)
                states = jax.tree.map(lambda kept, x, place=place: kept.at[place].set(x), states, before)
            return estimate.carried(tried.states[-1]), (observe(adaptive, ys, tried), starts, states)

        state = solve.init(y0, theta)
        held = (
            jnp.zeros((solve.count, *y0.shape), y0.dtype),
            jnp.zeros(MOST_STEPS, jnp.int32),
            jax.tree.map(lambda x: jnp.zeros((MOST_STEPS, *x.shape), x.dtype), state),
        )
        state = begun(solve, adaptive, state, theta)
        walked = walk(solve, Attempt(adaptive, jnp, step, step), noise, state, held, update)
        ys, starts, states = walked.held
        return ys, (y0, starts, states, walked.kept * parts, walked.state[0]), told(solve, adaptive, walked)

    def back(
        self,
        solve: JaxSolve,
        theta: PyTree,
        noise: NoiseArgument,
        residual: PyTree,
        ys_bar: Observed,
        finished: Bool[Array, ""],
    ) -> tuple[Y, PyTree, Told]:
        """One product a step, which evaluates it again."""
        y0, starts, states, kept, end = residual
        adaptive = adaptive_of(solve)
        if adaptive.dense is not None:
            steps = KeptSteps(starts, states[0], jnp.where(finished, kept, 0), end)
            y0_bar, theta_bar, evaluations = dense_backward(solve, adaptive, theta, steps, ys_bar)
            return y0_bar, theta_bar, Told(evaluations, finished)
        way = adaptive.way
        state, init_vjp = jax.vjp(solve.init, y0, theta)
        steps = jnp.where(finished, kept, 0)

        def one(i: Index, carry: PyTree) -> PyTree:
            (y_bar, *rest), theta_bar, stop, W1 = carry
            n = steps - 1 - i
            start, state = starts[n], jax.tree.map(lambda x: x[n], states)
            W0 = path_at(solve, adaptive, noise, start)
            _, unit = way.ahead(jnp, start)
            t, dt = time_at(solve, adaptive, start), (stop - start).astype(y0.dtype) * jnp.asarray(unit, y0.dtype)
            met, number = way.met(jnp, stop)
            y_bar = jnp.where(met, y_bar + ys_bar[jnp.maximum(number - 1, 0)], y_bar)

            def change(state: State[Array], theta: PyTree) -> State[Array]:
                dW = None if W0 is None else W1 - W0
                return solve.scheme.step(solve.terms(theta), t, dt, state, dW)

            state_bar, product = jax.vjp(change, state, theta)[1]((y_bar, *rest))
            return state_bar, add(theta_bar, product), start, W0

        last = jnp.int32(adaptive.ticks.count)
        carry = zeros(state), zeros(theta), last, path_at(solve, adaptive, noise, last)
        state_bar, theta_bar, *_ = jax.lax.fori_loop(0, steps, one, carry)
        y0_bar, product = init_vjp(state_bar)
        evaluations = steps * solve.scheme.work(solve.problem.noise)[0]
        return y0_bar, add(theta_bar, product), Told(evaluations, finished)


@dataclass(frozen=True)
class AdaptiveAdjointSweep(AbstractAdaptiveSweep):
    """Forwards, and backwards on the same path, each with steps of its own; the observed states are held.

    The errors of y and of a are controlled, and that of ∂L/∂θ isn't: it is an integral that nothing else depends on
    (Kidger, Chen & Lyons, "Hey, that's not an ODE", ICML 2021).
    """

    def ahead(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree, Told]:
        """Keep the observed states."""
        walked, adaptive = observed(solve, y0, theta, noise)
        return walked.held, walked.held, told(solve, adaptive, walked)

    def back(
        self,
        solve: JaxSolve,
        theta: PyTree,
        noise: NoiseArgument,
        residual: PyTree,
        ys_bar: Observed,
        finished: Bool[Array, ""],
    ) -> tuple[Y, PyTree, Told]:
        """Both equations, y being set to the forward solution's at every observation."""
        ys, last = residual, len(residual) - 1
        behind = adaptive_of(solve).back(solve.problem, backward_scheme(solve.scheme, solve.problem))
        steps = backward_steps(solve, behind.estimate, theta)

        def reset(_: PyTree, tried: Tried) -> tuple[State[Array], PyTree]:
            state = tried.states[-1]
            met, number = behind.way.met(jnp, tried.stop)
            k = last - number
            due = tried.kept & met & (k >= 0)

            def begin_again(state: State[Array]) -> State[Array]:
                _, a, theta_bar, *_ = state
                t = time_at(solve, behind, behind.way.tick(tried.stop))
                return steps.begin(t, (ys[k], a + ys_bar[k], theta_bar))

            if not behind.estimate.opening:  # nothing is evaluated: a choice costs less than a branch
                return jax.tree.map(lambda x, y: jnp.where(due, x, y), begin_again(state), state), ()
            return jax.lax.cond(due, begin_again, lambda state: state, state), ()

        attempt = Attempt(behind, jnp, steps.step, steps.step, controlled=2)
        t1 = time_at(solve, behind, behind.way.tick(0))
        start = steps.begin(t1, (ys[-1], ys_bar[-1], zeros(theta)))
        walked = walk(solve, attempt, noise, start, (), reset, wanted=finished)
        _, a, theta_bar, *_ = walked.state
        return a, theta_bar, told(solve, behind, walked, openings=len(ys))


Update = Callable[[PyTree, Tried], tuple[State[Array], PyTree]]
"""(what is held beside the state, an attempt) -> the state to go on from, and what is held then."""


def walk(
    solve: JaxSolve,
    attempt: Attempt,
    noise: NoiseArgument,
    state: State[Array],
    held: PyTree,
    update: Update,
    *,
    wanted: Bool[Array, ""] | bool = True,
) -> Walked:
    """From one end to the other; no step where it isn't `wanted`.

    `update` hears of every attempt. The state that it returns is dropped where the attempt is rejected; what is held is
    not, since to choose would be to copy it: the next attempt must write to the same places.
    """
    adaptive, dtype = attempt.adaptive, solve.case.dtype
    way, estimate = adaptive.way, adaptive.estimate

    def path(place: Int[Array, ""]) -> Float[Array, "batch noise_dim"] | None:
        return path_at(solve, adaptive, noise, way.tick(place))

    def unfinished(carry: PyTree) -> Bool[Array, ""]:
        place, kept, *_ = carry
        return (place < adaptive.ticks.count) & (kept < adaptive.most) & wanted

    def body(carry: PyTree) -> PyTree:
        place, kept, attempts, proposal, previous, W, state, held = carry
        length, unit = adaptive.length(jnp, proposal, place)
        length, unit = length.astype(place.dtype), jnp.asarray(unit, dtype)
        middle = path(place + length // 2) if estimate.halves else None
        end = path(place + length)
        t, dt = time_at(solve, adaptive, way.tick(place)), length.astype(dtype) * unit
        parts, error = attempt(t, dt, state, (W, middle, end))
        fits, proposal, previous = adaptive.control(jnp, length, unit, error, previous)
        new, held = update(held, Tried(place, place + length, dt, kept, fits, [state, *parts]))
        place, kept, W, state = jax.tree.map(
            lambda x, y: jnp.where(fits, x, y), (place + length, kept + 1, end, new), (place, kept, W, state)
        )
        return place, kept, attempts + 1, proposal.astype(dtype), previous.astype(dtype), W, state, held

    zero = jnp.int32(0)
    carry = (zero, zero, zero, jnp.asarray(adaptive.first, dtype), jnp.ones((), dtype), path(zero), state, held)
    place, kept, attempts, _, _, _, state, held = jax.lax.while_loop(unfinished, body, carry)
    return Walked(state, held, attempts, kept, place == adaptive.ticks.count)


def observed(solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Walked, Adaptive]:
    """A solve forwards that holds the observed states alone."""
    adaptive = adaptive_of(solve)
    step = forward_step(solve, adaptive, theta)

    def watch(ys: Observed, tried: Tried) -> tuple[State[Array], PyTree]:
        return adaptive.estimate.carried(tried.states[-1]), observe(adaptive, ys, tried)

    ys = jnp.zeros((solve.count, *y0.shape), y0.dtype)
    state = begun(solve, adaptive, solve.init(y0, theta), theta)
    return walk(solve, Attempt(adaptive, jnp, step, step), noise, state, ys, watch), adaptive


def begun(solve: JaxSolve, adaptive: Adaptive, state: State[Array], theta: PyTree) -> State[Array]:
    """What the first step starts from, given the scheme's state at t0."""
    return adaptive.estimate.begin(solve.terms(theta), time_at(solve, adaptive, 0), state)


def adaptive_of(solve: JaxSolve) -> Adaptive:
    """The adaptive steps of a solve that has such."""
    assert isinstance(solve.stepping, Adaptive)
    return solve.stepping


def path_at(
    solve: JaxSolve, adaptive: Adaptive, noise: NoiseArgument, tick: Index
) -> Float[Array, "batch noise_dim"] | None:
    """W at a tick, None for an ODE."""
    return at_tick(noise, tick, solve.case, solve.problem.noise_dim, adaptive.ticks)


def time_at(solve: JaxSolve, adaptive: Adaptive, tick: Index) -> Float[Array, ""]:
    """The time of a tick, in the case's precision."""
    return jnp.asarray(adaptive.ticks.time(jnp, tick), solve.case.dtype)


def observe(adaptive: Adaptive, ys: Observed, tried: Tried) -> Observed:
    """The observed states, with those within the attempt, or at its end, where they are due."""
    if adaptive.dense is not None:
        return observe_within(adaptive.dense, ys, tried)
    met, number = adaptive.way.met(jnp, tried.stop)
    place = jnp.where(met, number - 1, len(ys))
    return ys.at[place].set(tried.states[-1][0], mode="drop")


def observe_within(dense: Dense, ys: Observed, tried: Tried) -> Observed:
    """By the continuous extension, where the attempt is kept."""
    y0, (_, last, *stages) = tried.states[0][0], tried.states[-1]
    observations = Observations.of(dense, ys.dtype)

    def one(k: Index, ys: Observed) -> Observed:
        part = observations.part(k, tried.start, tried.stop)
        return ys.at[k].set(dense.state(part, tried.dt, y0, [*stages, last]))

    first, past = observations.within(tried.start, tried.stop)
    return jax.lax.fori_loop(first, jnp.where(tried.kept, past, first), one, ys)


def forward_step(solve: JaxSolve, adaptive: Adaptive, theta: PyTree) -> Step:
    """A step with its embedded error, where that is the estimate."""
    terms = solve.terms(theta)

    def step(
        t: Float[Array, ""], dt: Float[Array, ""], state: State[Array], dW: Float[Array, "batch noise_dim"] | None
    ) -> tuple[State[Array], PyTree]:
        return adaptive.estimate.step(terms, (t, dt), state, dW, nullcontext)

    return step


def told(solve: JaxSolve, adaptive: Adaptive, walked: Walked, openings: int = 1) -> Told:
    """Of a way that was gone, on which the estimate began so many times."""
    estimate = adaptive.estimate
    evaluations = walked.attempts * estimate.evaluations(solve.problem.noise) + openings * estimate.opening
    return Told(evaluations, walked.finished)


def _if(finished: Bool[Array, ""], found: PyTree) -> PyTree:
    """Not a number where a solve was given up."""
    return jax.tree.map(lambda x: jnp.where(finished, x, jnp.nan), found)
