"""The symplectic adjoint, forwards and backwards, JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.methods._symplectic import stage_cotangent, stage_state
from harness.methods.jax._segment import forward_keeping, step_alone
from harness.methods.jax._solve import JaxSolve, add, zeros
from harness.methods.jax._sweep import AbstractSweep
from harness.schemes._runge_kutta import AbstractRungeKutta


@dataclass(frozen=True)
class SymplecticAdjointSweep(AbstractSweep):
    """Scan forwards, keeping y; scan (λ, ∂L/∂θ) backwards, a step's stages being recomputed from its y."""

    def forward(self, solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, Any]:
        """Keep y before every step."""
        return forward_keeping(solve, y0, theta, noise, step_alone)

    def backward(self, solve: JaxSolve, theta: Any, noise: Any, residual: Any, ys_bar: Any) -> tuple[Any, Any]:
        """The adjoint ODE by the partner of the tableau."""
        tableau = solve.scheme
        assert isinstance(tableau, AbstractRungeKutta)
        stages = len(tableau.b)

        def back(carry: Any, n: Any, dW: Any, kept: Any) -> Any:
            """λ before step n from λ after it."""
            (adjoint, theta_bar), ((before, *_), *_), dt = carry, kept, solve.dt(n)

            def increment(i: int) -> Callable[[Any, Any], Any]:
                return lambda y, theta: solve.terms(theta).increment(solve.time(n) + tableau.c[i] * dt, y, dt, dW)

            points, increments = [], []
            for i in range(stages):
                points.append(stage_state(tableau, i, before, increments))
                if i < stages - 1:
                    increments.append(increment(i)(points[i], theta))
            later: dict[int, Any] = {}
            for i in reversed(range(stages)):
                cotangent = stage_cotangent(tableau, i, adjoint, later)
                if cotangent is not None:
                    _, vjp = jax.vjp(increment(i), points[i], theta)
                    later[i], product = vjp(cotangent)
                    theta_bar = add(theta_bar, product)
            return adjoint + sum(later.values()), theta_bar

        def meet(carry: Any, cotangent: Any) -> Any:
            adjoint, theta_bar = carry
            return adjoint + cotangent, theta_bar

        carry = (jnp.zeros_like(ys_bar[0]), zeros(theta))
        return solve.backwards(back, carry, noise, meet=meet, seen=ys_bar, kept=residual)
