"""The gradient of a problem's loss by a solve that JAX can differentiate."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.methods.jax._solve import JaxSolve, Observed, Y

States = Callable[[JaxSolve, Y, PyTree, NoiseArgument], Observed]
"""(solve, y0, θ, noise) -> the observed states."""
LossGradient = Callable[[JaxSolve, Y, PyTree, NoiseArgument], tuple[PyTree, ...]]
"""(solve, y0, θ, noise) -> (loss, ∂L/∂θ, ∂L/∂y0), and the evaluations of f where a sweep counts them."""


def gradient_of(states: States) -> LossGradient:
    """In the form that `compile_gradient` takes; callers keep it, since each call makes another function."""

    def gradient(solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Float[Array, ""], PyTree, Y]:
        def loss(y0: Y, theta: PyTree) -> Float[Array, ""]:
            return solve.problem.loss(jnp, states(solve, y0, theta, noise))

        value, (y0_bar, theta_bar) = jax.value_and_grad(loss, argnums=(0, 1))(y0, theta)
        return value, theta_bar, y0_bar

    return gradient
