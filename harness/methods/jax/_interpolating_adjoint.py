"""The adjoint equation on the stored forward path, forwards and backwards, JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.methods._interpolate import reads_between, scheme_on_path, state_on_path
from harness.methods.jax._adjoint import adjoint_step
from harness.methods.jax._solve import JaxSolve, zeros
from harness.methods.jax._sweep import AbstractSweep


@dataclass(frozen=True)
class InterpolatingAdjointSweep(AbstractSweep):
    """Scan forwards, keeping y; scan (y, a, ∂L/∂θ) backwards, y being the one kept."""

    def forward(self, solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, Any]:
        """Keep y before every step, and the last."""

        def step(state: Any, n: Any, dW: Any) -> tuple[Any, Any]:
            return solve.step(n, state, theta, dW), state[0]

        state, ys, kept = solve.forwards(step, solve.init(y0, theta), noise)
        return ys, (state[0], kept)

    def backward(self, solve: JaxSolve, theta: Any, noise: Any, residual: Any, ys_bar: Any) -> tuple[Any, Any]:
        """The adjoint equation alone is solved."""
        tableau = scheme_on_path(solve.scheme, solve.problem)
        terms = solve.terms(theta, stratonovich=True)
        between = reads_between(tableau)

        def back(carry: Any, n: Any, dW: Any, y0: Any) -> Any:
            y1, *bars = carry
            k0 = terms.increment(solve.time(n), y0, solve.dt(n), None) if between else None

            def stage(i: int, increments: list[Any]) -> Any:
                return state_on_path(tableau.c[i], y0, y1, k0, increments)

            bars, _ = adjoint_step(solve, tableau, theta, n, dW, (bars[0], bars[1]), state=stage)
            return y0, *bars

        def meet(carry: Any, cotangent: Any) -> Any:
            y, a, theta_bar = carry
            return y, a + cotangent, theta_bar

        y, kept = residual
        carry = (y, zeros(y), zeros(theta))
        _, a, theta_bar = solve.backwards(back, carry, noise, meet=meet, seen=ys_bar, kept=kept)
        return a, theta_bar
