"""The symplectic adjoint, forwards and backwards, JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from harness.brownian.jax_noise import Index, NoiseArgument
from harness.methods._symplectic import stage_cotangent, stage_state
from harness.methods.jax._segment import forward_keeping, step_alone
from harness.methods.jax._solve import JaxSolve, Observed, Y, add, zeros
from harness.methods.jax._sweep import AbstractSweep
from harness.scheme import Noise, increment_of
from harness.schemes._runge_kutta import AbstractRungeKutta

_Carry: TypeAlias = tuple[Y, PyTree]
"""(λ, ∂L/∂θ so far)."""


@dataclass(frozen=True)
class SymplecticAdjointSweep(AbstractSweep):
    """Scan forwards, keeping y; scan (λ, ∂L/∂θ) backwards, a step's stages being recomputed from its y."""

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """Keep y before every step."""
        return forward_keeping(solve, y0, theta, noise, step_alone)

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """The adjoint ODE by the partner of the tableau."""
        tableau = solve.scheme
        assert isinstance(tableau, AbstractRungeKutta)
        stages = len(tableau.b)

        def back(carry: _Carry, n: Index, dW: Noise[Array], kept: PyTree) -> _Carry:
            """λ before step n from λ after it."""
            (adjoint, theta_bar), ((before, *_), *_), dt = carry, kept, solve.dt(n)

            def increment(i: int) -> Callable[[Y, PyTree], Y]:
                return lambda y, theta: solve.terms(theta).increment(
                    solve.time(n) + tableau.c[i] * dt, y, dt, increment_of(dW)
                )

            points, increments = [], []
            for i in range(stages):
                points.append(stage_state(tableau, i, before, increments))
                if i < stages - 1:
                    increments.append(increment(i)(points[i], theta))
            later: dict[int, Y] = {}
            for i in reversed(range(stages)):
                cotangent = stage_cotangent(tableau, i, adjoint, later)
                if cotangent is not None:
                    _, vjp = jax.vjp(increment(i), points[i], theta)
                    later[i], product = vjp(cotangent)
                    theta_bar = add(theta_bar, product)
            return adjoint + sum(later.values()), theta_bar

        def meet(carry: _Carry, cotangent: Y) -> _Carry:
            adjoint, theta_bar = carry
            return adjoint + cotangent, theta_bar

        carry = (jnp.zeros_like(ys_bar[0]), zeros(theta))
        return solve.backwards(back, carry, noise, meet=meet, seen=ys_bar, kept=residual)
