"""An ODE in both frameworks that is stiff, that blows up with long steps, or that jumps at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import torch

import harness
from harness.models.jax.solve import Solve as JaxSolve
from harness.models.torch.solve import Solve as TorchSolve


def field(kind: str, where: Callable[..., Any], t: Any, y: Any, rate: Any) -> Any:
    """f of the kind that is asked for."""
    if kind == "jumping":
        return where(t < 0.5, 1.0, 3.0) * rate * y
    return {"smooth": -rate * y, "stiff": -60 * rate * y, "exploding": -100 * rate * y**3}[kind]


@harness.torch.model
def in_torch(solve: TorchSolve, *, kind: str = "smooth") -> object:
    """Two samples of one entry."""
    rate = torch.tensor([0.7], dtype=torch.float64, requires_grad=True)

    def loss() -> torch.Tensor:
        y0 = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
        return solve.odeint(lambda t, y: field(kind, torch.where, t, y, rate), y0, torch.linspace(0, 1, 2))[-1].sum()

    return loss, [rate]


@harness.jax.model
def in_jax(solve: JaxSolve, *, kind: str = "smooth") -> object:
    """The same, one sample at a time under `vmap`."""

    def loss(rate: Any) -> jax.Array:
        def end(y0: jax.Array) -> jax.Array:
            return solve.odeint(lambda t, y, p: field(kind, jnp.where, t, y, p), y0, [0.0, 1.0], rate)[-1]

        return jax.vmap(end)(jnp.array([[1.0], [2.0]])).sum()

    return loss, jnp.array([0.7])
