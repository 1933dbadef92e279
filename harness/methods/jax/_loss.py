"""The gradient of a problem's loss by a solve that JAX can differentiate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from harness.methods.jax._solve import JaxSolve

States = Callable[[JaxSolve, Any, Any, Any], Any]
"""(solve, y0, θ, noise) -> the observed states, (observations, batch, dim)."""
LossGradient = Callable[[JaxSolve, Any, Any, Any], tuple[Any, Any, Any]]
"""(solve, y0, θ, noise) -> (loss, ∂L/∂θ, ∂L/∂y0)."""


def gradient_of(states: States) -> LossGradient:
    """In the form that `compile_gradient` takes; callers keep it, since each call makes another function."""

    def gradient(solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, Any, Any]:
        def loss(y0: Any, theta: Any) -> Any:
            return solve.problem.loss(jnp, states(solve, y0, theta, noise))

        value, (y0_bar, theta_bar) = jax.value_and_grad(loss, argnums=(0, 1))(y0, theta)
        return value, theta_bar, y0_bar

    return gradient
