"""The harness's own problems as models in JAX, with the numbers of `problem_models`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import harness
from harness.initial import draw
from harness.models.jax.solve import Solve
from harness.registry import Registry


@harness.jax.model
def problem(
    solve: Solve,
    *,
    name: str = "neural",
    noise: str = "diagonal",
    calculus: str = "stratonovich",
    dim: int = 3,
    batch: int = 4,
    seed: int = 3,
    observations: int = 1,
) -> tuple[Callable[[Any], Float[Array, ""]], dict[str, Array]]:
    """A problem with its own θ, and y0 as the last parameter, `~y0`."""
    posed = Registry.load().problem(name, noise=noise, calculus=calculus, dim=dim)
    values = draw(posed, batch, seed)
    ts = [posed.t0 + (posed.t1 - posed.t0) * i / observations for i in range(observations + 1)]

    def f(t: Array, y: Array, theta: Any) -> Array:
        return posed.drift(jnp, t, y, theta)

    def g(t: Array, y: Array, theta: Any) -> Array:
        found = posed.diffusion(jnp, t, y, theta)
        return found if noise == "diagonal" else jnp.broadcast_to(found, (len(y), *found.shape[1:]))

    def loss(parameters: dict[str, Array]) -> Float[Array, ""]:
        theta = {key: value for key, value in parameters.items() if key != "~y0"}
        y0 = parameters["~y0"]
        if noise == "none":
            return posed.loss(jnp, solve.odeint(f, y0, ts, theta)[1:])
        ys = solve.sdeint(f, g, y0, ts, theta, noise_type=noise, sde_type=calculus)
        return posed.loss(jnp, ys[1:])

    return loss, jax.tree.map(jnp.asarray, {**values.theta, "~y0": values.y0})
