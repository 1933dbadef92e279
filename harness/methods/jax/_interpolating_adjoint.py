"""The adjoint equation on the stored forward path, forwards and backwards, JAX."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Array, PyTree

from harness.brownian.jax_noise import Index, NoiseArgument
from harness.methods._interpolate import reads_between, scheme_on_path, state_on_path
from harness.methods.jax._adjoint import Backwards, adjoint_step
from harness.methods.jax._solve import JaxSolve, Observed, Y, zeros
from harness.methods.jax._sweep import AbstractSweep
from harness.scheme import Noise, State


@dataclass(frozen=True)
class InterpolatingAdjointSweep(AbstractSweep):
    """Scan forwards, keeping y; scan (y, a, ∂L/∂θ) backwards, y being the one kept."""

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """Keep y before every step, and the last."""

        def step(state: State[Array], n: Index, dW: Noise[Array]) -> tuple[State[Array], Y]:
            return solve.step(n, state, theta, dW), state[0]

        state, ys, kept = solve.forwards(step, solve.init(y0, theta), noise)
        return ys, (state[0], kept)

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """The adjoint equation alone is solved."""
        tableau = scheme_on_path(solve.scheme, solve.problem)
        terms = solve.terms(theta, stratonovich=True)
        between = reads_between(tableau)

        def back(carry: Backwards, n: Index, dW: Noise[Array], y0: Y) -> Backwards:
            y1, *bars = carry
            k0 = terms.increment(solve.time(n), y0, solve.dt(n), None) if between else None

            def stage(i: int, increments: list[Y]) -> Y:
                return state_on_path(tableau.c[i], y0, y1, k0, increments)

            bars, _ = adjoint_step(solve, tableau, theta, n, dW, (bars[0], bars[1]), state=stage)
            return y0, *bars

        def meet(carry: Backwards, cotangent: Y) -> Backwards:
            y, a, theta_bar = carry
            return y, a + cotangent, theta_bar

        y, kept = residual
        carry = (y, zeros(y), zeros(theta))
        _, a, theta_bar = solve.backwards(back, carry, noise, meet=meet, seen=ys_bar, kept=kept)
        return a, theta_bar
