"""An ODE in both frameworks that has a narrow pulse in time, or none; its gradient is known.

y' = (a p(t) − k) y from 1 and from 2, where p is a Gaussian density: y(T) is y(0) exp(a − k T).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

import harness
from harness.models.jax.solve import Solve as JaxSolve
from harness.models.torch.solve import Solve as TorchSolve

END, A, K = 25.0, 0.5, 0.05
CENTRE = END * (4 * 100 + 0.48) / 1024
"""Solves with 256 and 1024 equal steps evaluate f on the flanks of a pulse here whose width is 1e-3: they agree within
a sixth of their error."""


def field(exp: Callable[..., Any], width: float, t: Any, y: Any, a: Any, k: Any) -> Any:
    """f; without a pulse where the width is 0."""
    if not width:
        return (a / END - k) * y
    return (a / (width * math.sqrt(2 * math.pi)) * exp(-(((t - CENTRE) / width) ** 2) / 2) - k) * y


def gradient() -> np.ndarray:
    """Of the sum of y(T), by a and by k: the same for all widths."""
    loss = 3 * math.exp(A - K * END)
    return np.array([loss, -END * loss])


@harness.torch.model
def in_torch(solve: TorchSolve, *, width: float = 0.0) -> object:
    """Two samples of one entry."""
    a, k = (torch.tensor([x], dtype=torch.float64, requires_grad=True) for x in (A, K))

    def loss() -> torch.Tensor:
        y0 = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
        return solve.odeint(lambda t, y: field(torch.exp, width, t, y, a, k), y0, torch.linspace(0, END, 2))[-1].sum()

    return loss, {"a": a, "k": k}


@harness.jax.model
def in_jax(solve: JaxSolve, *, width: float = 0.0) -> object:
    """The same, one sample at a time under `vmap`."""

    def loss(theta: Any) -> jax.Array:
        def sample(y0: jax.Array) -> jax.Array:
            return solve.odeint(
                lambda t, y, _: field(jnp.exp, width, t, y, theta["a"], theta["k"]), y0, np.linspace(0, END, 2)
            )[-1]

        return jax.vmap(sample)(jnp.asarray([[1.0], [2.0]], "float64")).sum()

    return loss, {"a": jnp.asarray([A], "float64"), "k": jnp.asarray([K], "float64")}
