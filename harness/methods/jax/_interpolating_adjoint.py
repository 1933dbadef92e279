"""The adjoint equation on the stored forward path, forwards and backwards, JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.methods._interpolate import reads_between, scheme_on_path, state_on_path
from harness.methods.jax._adjoint import adjoint_step
from harness.methods.jax._solve import JaxSolve, zeros
from harness.methods.jax._sweep import AbstractSweep


@dataclass(frozen=True)
class InterpolatingAdjointSweep(AbstractSweep):
    """Scan forwards, keeping y; scan (y, a, ∂L/∂θ) backwards, y being the one kept."""

    def forward(self, solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, Any]:
        """Keep y before every step, and the last."""

        def step(state: Any, n: Any, dW: Any, _: Any) -> tuple[Any, Any]:
            return solve.step(n, state, theta, dW), state[0]

        def to_observation(state: Any, k: Any) -> tuple[Any, Any]:
            state, kept = solve.scan(step, state, noise, start=k * solve.stride, count=solve.stride)
            return state, (state[0], kept)

        observations = jnp.arange(solve.case.observations)
        state, (ys, kept) = jax.lax.scan(to_observation, solve.init(y0, theta), observations)
        return ys, (state[0], kept)

    def backward(self, solve: JaxSolve, theta: Any, noise: Any, residual: Any, ys_bar: Any) -> tuple[Any, Any]:
        """The adjoint equation alone is solved."""
        tableau = scheme_on_path(solve.scheme, solve.problem)
        terms = solve.terms(theta, stratonovich=True)
        between = reads_between(tableau)

        def step(carry: Any, n: Any, dW: Any, y0: Any) -> tuple[Any, None]:
            y1, *bars = carry
            k0 = terms.increment(solve.time(n), y0, solve.dt, None) if between else None

            def stage(i: int, increments: list[Any]) -> Any:
                return state_on_path(tableau.c[i], y0, y1, k0, increments)

            bars, _ = adjoint_step(solve, tableau, theta, n, dW, (bars[0], bars[1]), state=stage)
            return (y0, *bars), None

        def from_observation(carry: Any, inputs: Any) -> tuple[Any, None]:
            y, a, theta_bar = carry
            k, cotangent, kept = inputs
            carry = (y, a + cotangent, theta_bar)
            start = k * solve.stride
            return solve.scan(step, carry, noise, start=start, count=solve.stride, inputs=kept, reverse=True)[0], None

        y, kept = residual
        carry = (y, zeros(y), zeros(theta))
        inputs = (jnp.arange(solve.case.observations), ys_bar, kept)
        (_, a, theta_bar), _ = jax.lax.scan(from_observation, carry, inputs, reverse=True)
        return a, theta_bar
