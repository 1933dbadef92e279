"""An estimate of a gradient from derivatives along given directions, JAX."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.brownian.path import SharedPath
from harness.method import Gradient
from harness.methods.jax._compile import CompiledGradient, compile_gradient
from harness.methods.jax._solve import JaxSolve, Y


@dataclass(frozen=True)
class EstimatedGradient(CompiledGradient):
    """One forward solve with a tangent for each direction."""

    def __call__(self) -> Gradient:
        """The mean of the estimates; the sample variance of one over their number, averaged over coordinates."""
        loss, theta, y0, variance = self.executable(*self.arguments)
        return Gradient(loss, theta, y0, variance=variance)


def compile_estimate(
    solve: JaxSolve,
    path: SharedPath | None,
    y0: Float[np.ndarray, "directions batch dim"],
    theta: Mapping[str, np.ndarray],
) -> EstimatedGradient:
    """Compile it for the directions given, each with a leading axis of their number."""
    compiled = compile_gradient(estimate, solve, path, (y0, theta))
    return EstimatedGradient(compiled.executable, compiled.arguments)


def estimate(
    solve: JaxSolve,
    y0: Y,
    theta: PyTree,
    noise: NoiseArgument,
    directions: tuple[Float[Array, "directions batch dim"], PyTree],
) -> tuple[Float[Array, ""], PyTree, Y, Float[Array, ""]]:
    """The loss, the estimates of ∂L/∂θ and ∂L/∂y0, and their variance."""

    def loss(y0: Y, theta: PyTree) -> Float[Array, ""]:
        return solve.problem.loss(jnp, solve.forward(y0, theta, noise)[1])

    def along(
        direction: tuple[Y, PyTree],
    ) -> tuple[Float[Array, ""], tuple[Y, PyTree]]:
        value, slope = jax.jvp(loss, (y0, theta), direction)
        return value, jax.tree.map(lambda v: slope * v, direction)

    value, singles = jax.vmap(along, out_axes=(None, 0))(directions)
    leaves = jax.tree.leaves(singles)
    coordinates = sum(x[0].size for x in leaves)
    variance = functools.reduce(jnp.add, (x.var(0, ddof=1).sum() for x in leaves)) / (len(leaves[0]) * coordinates)
    y0_bar, theta_bar = jax.tree.map(lambda x: x.mean(0), singles)
    return value, theta_bar, y0_bar, variance
