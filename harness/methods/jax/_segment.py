"""Forwards with the state before every step kept, and backwards from them, JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax
from jaxtyping import Array, PyTree

from harness.brownian.jax_noise import Index, NoiseArgument
from harness.methods.jax._solve import Bars, JaxSolve, Observed, Y, add, zeros
from harness.methods.jax._sweep import AbstractSweep, loss_gradient
from harness.scheme import Noise, State

Keep = Callable[[JaxSolve, Index, State[Array], PyTree, Noise[Array]], tuple[State[Array], PyTree]]
"""(solve, n, state, θ, dW) -> the state after step n, and what is kept of it beside the state before it and dW."""
Again = Callable[[JaxSolve, Index, State[Array], PyTree, Noise[Array], PyTree], State[Array]]
"""(solve, n, state, θ, dW, what is kept) -> the state after step n once more, to be differentiated."""
_Kept: TypeAlias = tuple[State[Array], Noise[Array], PyTree]
"""The state before a step, its noise and what `Keep` keeps."""


def forward_keeping(solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument, keep: Keep) -> tuple[Observed, _Kept]:
    """The observed states; and of each step the state before it, its noise and what `keep` says.

    To draw the noise again would save one array a step and take as long as several evaluations of a small network.
    """

    def step(state: State[Array], n: Index, dW: Noise[Array]) -> tuple[State[Array], _Kept]:
        after, kept = keep(solve, n, state, theta, dW)
        return after, (state, dW, kept)

    _, ys, kept = solve.forwards(step, solve.init(y0, theta), noise)
    return ys, kept


@dataclass(frozen=True)
class StepsSweep(AbstractSweep):
    """A scan forwards, and one backwards over the vector–Jacobian products of `again`."""

    keep: Keep
    again: Again

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """Keep the state before every step, its noise and what `keep` says."""
        ys, kept = forward_keeping(solve, y0, theta, noise, self.keep)
        return ys, (y0, kept)

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """One product a step."""

        def back(carry: Bars, n: Index, _: Noise[Array], kept: _Kept) -> Bars:
            state_bar, theta_bar = carry
            state, dW, more = kept
            vjp = jax.vjp(lambda state, theta: self.again(solve, n, state, theta, dW, more), state, theta)[1]
            state_bar, product = vjp(state_bar)
            return state_bar, add(theta_bar, product)

        def meet(carry: Bars, cotangent: Y) -> Bars:
            (y_bar, *rest), theta_bar = carry
            return (y_bar + cotangent, *rest), theta_bar

        y0, kept = residual
        state, init_vjp = jax.vjp(solve.init, y0, theta)
        carry = (zeros(state), zeros(theta))
        state_bar, theta_bar = solve.backwards(back, carry, None, meet=meet, seen=ys_bar, kept=kept)
        y0_bar, product = init_vjp(state_bar)
        return y0_bar, add(theta_bar, product)


def step_alone(
    solve: JaxSolve, n: Index, state: State[Array], theta: PyTree, dW: Noise[Array]
) -> tuple[State[Array], tuple[()]]:
    """The state after step n. Nothing more is kept."""
    return solve.step(n, state, theta, dW), ()


def step_again(
    solve: JaxSolve, n: Index, state: State[Array], theta: PyTree, dW: Noise[Array], kept: tuple[()]
) -> State[Array]:
    """The state after step n."""
    del kept
    return solve.step(n, state, theta, dW)


by_steps = loss_gradient(StepsSweep(step_alone, step_again))
"""The gradient of a loss by any scheme: JAX's own derivative of its steps."""
