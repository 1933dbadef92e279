"""What the native JAX methods share: a case's times, f and g, noise, and the scan over its steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from harness.brownian.jax_noise import Index, NoiseArgument, chunk_size, draw
from harness.case import Case
from harness.clock import Clock
from harness.grid import Grid
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, Noise, State
from harness.stepping import Stepping, stepping_of
from harness.terms import Terms

Y: TypeAlias = Float[Array, "batch dim"]
"""y of every sample, or the gradient of a loss by it."""
Observed: TypeAlias = Float[Array, "observations batch dim"]
"""The observed states, or the gradient of a loss by them."""
Bars: TypeAlias = tuple[State[Array], PyTree]
"""The gradient of a loss by a state, and that by θ so far: a backward sweep carries them."""
Carry = TypeVar("Carry")
"""What a loop over steps hands from one to the next: a tree of arrays."""


def _as_it_is(theta: PyTree) -> PyTree:
    return theta


@dataclass(frozen=True)
class JaxSolve:
    """A case, hashable, to close a traced function over.

    `complete` makes the parameters of f and g of what the methods take for θ. They are the same, but for a θ with
    leaves that have no derivative: see `harness.methods.jax._sweep`. With `stratonovich` an Itô problem is solved in
    its Stratonovich form, by the exact correction of the drift.
    """

    problem: AbstractProblem
    scheme: AbstractScheme
    case: Case
    complete: Callable[[PyTree], PyTree] = _as_it_is
    stratonovich: bool = False

    @property
    def grid(self) -> Grid:
        """The steps, and which of their ends are observed."""
        return Grid.of_case(self.problem, self.case)

    @property
    def stepping(self) -> Stepping:
        """The steps that the case has: this grid, or adaptive ones."""
        return stepping_of(self.problem, self.scheme, self.case)

    @property
    def clock(self) -> Clock | None:
        """The times of the grid, where steps are fixed."""
        return Clock.of(self.stepping, self.case.dtype)

    @property
    def steps(self) -> int:
        """N."""
        return self.case.steps

    @property
    def count(self) -> int:
        """The number of observations."""
        return self.grid.count

    def dt(self, n: Index) -> Float[Array, ""] | float:
        """The length of step n: a plain number where it is that of every step."""
        step = self.grid.equal_step
        return jnp.asarray(self.grid.lengths, self.case.dtype)[n] if step is None else step

    def time(self, n: Index) -> Float[Array, ""]:
        """The time of grid point n, in the case's precision."""
        return jnp.asarray(Clock(self.grid, self.case.dtype).times, self.case.dtype)[n]

    def observation(self, n: Index) -> tuple[Bool[Array, ""] | bool, Index]:
        """Whether grid point n, at least 1, is observed, and the number of the last observation up to it."""
        stride = self.grid.stride
        if stride is not None:
            return n % stride == 0, n // stride - 1
        last = jnp.asarray(np.searchsorted(self.grid.observed, np.arange(self.steps + 1), side="right") - 1)[n]
        return jnp.asarray(np.isin(np.arange(self.steps + 1), self.grid.observed))[n], last

    def terms(self, theta: PyTree, *, stratonovich: bool = False) -> Terms:
        """f and g with these parameters."""
        return Terms(jnp, self.problem, self.complete(theta), stratonovich or self.stratonovich, self.clock)

    def init(self, y0: Y, theta: PyTree) -> State[Array]:
        """The scheme's state at t0."""
        return self.scheme.init(self.terms(theta), self.time(0), y0)

    def step(self, n: Index, state: State[Array], theta: PyTree, dW: Noise[Array]) -> State[Array]:
        """The state after step n."""
        return self.scheme.step(self.terms(theta), self.time(n), self.dt(n), state, dW)

    def loss_cotangents(self, ys: Observed) -> tuple[Float[Array, ""], Observed]:
        """The loss of the observed states, and its gradient."""
        return jax.value_and_grad(functools.partial(self.problem.loss, jnp))(ys)

    def draw(self, noise: NoiseArgument, start: Index, count: int) -> Noise[Array]:
        """The noise of `count` steps: dW, or (dW, H) where the scheme needs it; None for an ODE."""
        return draw(
            noise,
            start,
            count,
            self.case,
            self.problem.noise_dim,
            self.grid,
            levy_area=self.scheme.needs_levy_area,
        )

    def scan(
        self,
        body: Callable[[Carry, Index, Noise[Array], PyTree], tuple[Carry, PyTree]],
        carry: Carry,
        noise: NoiseArgument,
        *,
        start: Index,
        count: int,
        inputs: PyTree = None,
        reverse: bool = False,
        lag: int = 0,
    ) -> tuple[Carry, PyTree]:
        """Scan `body(carry, n, dW, input) -> carry, output` over the steps start … start + count − 1.

        The noise is drawn a chunk of steps at a time, so that at most a chunk is held. Outputs, and `inputs` with
        them, have two leading axes: chunk, and step within it. dW is that of step n − `lag`: before step 0, one that
        means nothing.
        """
        size = chunk_size(count, self.case.batch * self.problem.noise_dim)

        def one_step(carry: Carry, inputs: tuple[Index, Noise[Array], PyTree]) -> tuple[Carry, PyTree]:
            n, dW, x = inputs
            return body(carry, n, dW, x)

        def one_chunk(carry: Carry, inputs: tuple[Index, PyTree]) -> tuple[Carry, PyTree]:
            first, x = inputs
            dWs = self.draw(noise, first - lag, size)
            return jax.lax.scan(one_step, carry, (first + jnp.arange(size), dWs, x), reverse=reverse)

        firsts = start + size * jnp.arange(count // size)
        return jax.lax.scan(one_chunk, carry, (firsts, inputs), reverse=reverse)

    def forwards(
        self,
        step: Callable[[State[Array], Index, Noise[Array]], tuple[State[Array], PyTree]],
        state: State[Array],
        noise: NoiseArgument,
    ) -> tuple[State[Array], Observed, PyTree]:
        """`step(state, n, dW) -> state, kept` over all steps: the final state, the observed ones, and what is kept.

        The observed states are the first array of each state. What is kept has leading axes that `backwards`
        understands.
        """
        stride = self.grid.stride

        def body(state: State[Array], n: Index, dW: Noise[Array], _: PyTree) -> tuple[State[Array], PyTree]:
            return step(state, n, dW)

        if stride is not None:

            def to_observation(state: State[Array], k: Index) -> tuple[State[Array], tuple[Array, PyTree]]:
                state, kept = self.scan(body, state, noise, start=k * stride, count=stride)
                return state, (state[0], kept)

            state, (ys, kept) = jax.lax.scan(to_observation, state, jnp.arange(self.count))
            return state, ys, kept

        def and_observe(
            carry: tuple[State[Array], Observed], n: Index, dW: Noise[Array], _: PyTree
        ) -> tuple[tuple[State[Array], Observed], PyTree]:
            state, ys = carry
            state, kept = step(state, n, dW)
            observed, k = self.observation(n + 1)
            return (state, ys.at[jnp.where(observed, k, self.count)].set(state[0], mode="drop")), kept

        room = jnp.zeros((self.count, *state[0].shape), state[0].dtype)
        (state, ys), kept = self.scan(and_observe, (state, room), noise, start=0, count=self.steps)
        return state, ys, kept

    def backwards(
        self,
        back: Callable[[Carry, Index, Noise[Array], PyTree], Carry],
        carry: Carry,
        noise: NoiseArgument,
        *,
        meet: Callable[[Carry, PyTree], Carry],
        seen: PyTree,
        kept: PyTree = None,
    ) -> Carry:
        """`back(carry, n, dW, kept) -> carry` over all steps, the last one first.

        At each observation, before the step that ends there is gone over, `meet(carry, seen) -> carry`; `seen` is a
        tree of what the observations have, each with a leading axis (observations, …).
        """
        stride = self.grid.stride

        def body(carry: Carry, n: Index, dW: Noise[Array], kept: PyTree) -> tuple[Carry, None]:
            return back(carry, n, dW, kept), None

        if stride is not None:

            def from_observation(carry: Carry, inputs: tuple[Index, PyTree, PyTree]) -> tuple[Carry, None]:
                k, here, kept = inputs
                carry, start = meet(carry, here), k * stride
                return self.scan(body, carry, noise, start=start, count=stride, inputs=kept, reverse=True)[0], None

            return jax.lax.scan(from_observation, carry, (jnp.arange(self.count), seen, kept), reverse=True)[0]

        def met(carry: Carry, n: Index, dW: Noise[Array], kept: PyTree) -> tuple[Carry, None]:
            observed, k = self.observation(n + 1)
            after = meet(carry, jax.tree.map(lambda x: x[k], seen))
            carry = jax.tree.map(lambda x, y: y if x is y else jnp.where(observed, x, y), after, carry)
            return back(carry, n, dW, kept), None

        return self.scan(met, carry, noise, start=0, count=self.steps, inputs=kept, reverse=True)[0]

    def forward(self, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[State[Array], Observed]:
        """The final state and the observed ones, nothing else kept."""

        def step(state: State[Array], n: Index, dW: Noise[Array]) -> tuple[State[Array], None]:
            return self.step(n, state, theta, dW), None

        state, ys, _ = self.forwards(step, self.init(y0, theta), noise)
        return state, ys


def add(x: PyTree, y: PyTree) -> PyTree:
    """The sum of two trees of arrays."""
    return jax.tree.map(jnp.add, x, y)


def zeros(x: PyTree) -> PyTree:
    """A tree of zeros of the same shapes."""
    return jax.tree.map(jnp.zeros_like, x)
