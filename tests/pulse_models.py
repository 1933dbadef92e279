"""An ODE in both frameworks that has a narrow pulse in time, or kinks, or neither; its gradient is known.

y' = (a p(t) − k) y from 1 and from 2, where p is a density: y(T) is y(0) exp(a − k T).
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch.autograd.function import once_differentiable

import harness
from harness.models.jax.solve import Solve as JaxSolve
from harness.models.torch.solve import Solve as TorchSolve

END, A, K = 25.0, 0.5, 0.05
CENTRE = END * (4 * 12 + 0.48) / 128
"""Solves with 32 and 128 equal steps evaluate f on the flanks of a pulse here whose width is 8e-3: they agree within
a sixth of their error."""


def density(xp: Any, width: float, kinks: int, t: Any) -> Any:
    """p: Gaussian where a width is given, else with so many kinks, else constant."""
    if width:
        return xp.exp(-(((t - CENTRE) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))
    return abs(xp.sin(kinks * math.pi / END * t)) * math.pi / (2 * END) if kinks else 1 / END


def gradient() -> np.ndarray:
    """Of the sum of y(T), by a and by k: the same for all densities."""
    loss = 3 * math.exp(A - K * END)
    return np.array([loss, -END * loss])


class Once(torch.autograd.Function):
    """The identity, which can't be differentiated twice."""

    @staticmethod
    def forward(_: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        del ctx
        return gradients[0].clone()


@jax.custom_vjp
def differentiable_once(x: jax.Array) -> jax.Array:
    """The identity, which has no forward derivative."""
    return x


differentiable_once.defvjp(lambda x: (x, None), lambda _, gradient: (gradient,))


@harness.torch.model
def in_torch(solve: TorchSolve, *, width: float = 0.0, kinks: int = 0, once: bool = False) -> object:
    """Two samples of one entry."""
    a, k = (torch.tensor([x], dtype=torch.float64, requires_grad=True) for x in (A, K))

    def loss() -> torch.Tensor:
        y0 = torch.tensor([[1.0], [2.0]], dtype=torch.float64)

        def f(t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return (a * density(torch, width, kinks, t) - k) * (Once.apply(y) if once else y)

        return solve.odeint(f, y0, torch.linspace(0, END, 2))[-1].sum()

    return loss, {"a": a, "k": k}


@harness.jax.model
def in_jax(solve: JaxSolve, *, width: float = 0.0, kinks: int = 0, once: bool = False) -> object:
    """The same, one sample at a time under `vmap`."""

    def loss(theta: Any) -> jax.Array:
        def sample(y0: jax.Array) -> jax.Array:
            def f(t: jax.Array, y: jax.Array, _: None) -> jax.Array:
                rate = theta["a"] * density(jnp, width, kinks, t) - theta["k"]
                return rate * (differentiable_once(y) if once else y)

            return solve.odeint(f, y0, np.linspace(0, END, 2))[-1]

        return jax.vmap(sample)(jnp.asarray([[1.0], [2.0]], "float64")).sum()

    return loss, {"a": jnp.asarray([A], "float64"), "k": jnp.asarray([K], "float64")}
