"""An estimate of a gradient from derivatives along given directions, JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.brownian.path import SharedPath
from harness.method import Gradient
from harness.methods.jax._compile import CompiledGradient, compile_gradient
from harness.methods.jax._solve import JaxSolve


@dataclass(frozen=True)
class EstimatedGradient(CompiledGradient):
    """One forward solve with a tangent for each direction."""

    def __call__(self) -> Gradient:
        """The mean of the estimates; the sample variance of one over their number, averaged over coordinates."""
        loss, theta, y0, variance = self.executable(*self.arguments)
        return Gradient(loss, theta, y0, variance=variance)


def compile_estimate(solve: JaxSolve, path: SharedPath | None, y0: Any, theta: Any) -> EstimatedGradient:
    """Compile it for the directions given, each with a leading axis of their number."""
    compiled = compile_gradient(estimate, solve, path, (y0, theta))
    return EstimatedGradient(compiled.executable, compiled.arguments)


def estimate(solve: JaxSolve, y0: Any, theta: Any, noise: Any, directions: Any) -> tuple[Any, Any, Any, Any]:
    """The loss, the estimates of ∂L/∂θ and ∂L/∂y0, and their variance."""

    def loss(y0: Any, theta: Any) -> Any:
        return solve.problem.loss(jnp, solve.forward(y0, theta, noise)[1])

    def along(direction: Any) -> tuple[Any, Any]:
        value, slope = jax.jvp(loss, (y0, theta), direction)
        return value, jax.tree.map(lambda v: slope * v, direction)

    value, singles = jax.vmap(along, out_axes=(None, 0))(directions)
    leaves = jax.tree.leaves(singles)
    coordinates = sum(x[0].size for x in leaves)
    variance = sum(x.var(0, ddof=1).sum() for x in leaves) / (len(leaves[0]) * coordinates)
    y0_bar, theta_bar = jax.tree.map(lambda x: x.mean(0), singles)
    return value, theta_bar, y0_bar, variance
