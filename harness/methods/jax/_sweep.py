"""A gradient method as a differentiable solve: forwards, and backwards from the cotangents of the observed states."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from harness.methods.jax._loss import LossGradient, gradient_of
from harness.methods.jax._solve import JaxSolve

Solve = Callable[[Any, Any, Any], Any]
"""(y0, θ, noise) -> the observed states, (observations, batch, dim)."""


class AbstractSweep(ABC):
    """A reverse-mode gradient method, cut where the loss stands.

    Subclasses are frozen dataclasses: what they hold are options of the method, so that equal sweeps share one
    compiled program. Every leaf of `theta` is a float array here; `differentiable` sees to the others.
    """

    @abstractmethod
    def forward(self, solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, Any]:
        """The observed states, (observations, batch, dim), and a tree of arrays that `backward` is given."""

    @abstractmethod
    def backward(self, solve: JaxSolve, theta: Any, noise: Any, residual: Any, ys_bar: Any) -> tuple[Any, Any]:
        """∂L/∂y0, (batch, dim), and ∂L/∂θ, a tree as `theta`; `ys_bar` is ∂L/∂ys, (observations, batch, dim)."""


def differentiable(sweep: AbstractSweep, solve: JaxSolve) -> Solve:
    """The solve with the sweep as its derivative: a function of (y0, θ, noise), under `jit`, `vmap` and `grad`.

    y0 is (batch, dim), θ any tree of arrays, the noise what `harness.brownian.jax_noise.noise_argument` makes. The
    result is differentiable in y0 and in every float leaf of θ. Integers and keys in θ, and the noise, get no
    derivative. A second derivative raises NotImplementedError. Where no derivative is taken nothing is kept.
    """

    @jax.custom_vjp
    def differentiated(y0: Any, floats: Any, fixed: Any) -> Any:
        others, noise = fixed
        return _with(solve, others).forward(y0, floats, noise)[1]

    def forward(y0: Any, floats: Any, fixed: Any) -> tuple[Any, Any]:
        y0, floats = _once((y0, floats))
        others, noise = fixed
        ys, residual = sweep.forward(_with(solve, others), y0, floats, noise)
        return ys, (floats, fixed, residual)

    def backward(kept: Any, ys_bar: Any) -> tuple[Any, Any, None]:
        floats, (others, noise), residual = kept
        return *sweep.backward(_with(solve, others), floats, noise, residual, _once(ys_bar)), None

    differentiated.defvjp(forward, backward)

    def solution(y0: Any, theta: Any, noise: Any) -> Any:
        floats = jax.tree.map(lambda x: x if _is_float(x) else None, theta)
        others = jax.tree.map(lambda x: None if _is_float(x) else x, theta)
        return differentiated(y0, floats, (others, noise))

    return solution


@functools.cache
def loss_gradient(sweep: AbstractSweep) -> LossGradient:
    """The gradient of the problem's loss by a sweep."""
    return gradient_of(lambda solve, y0, theta, noise: differentiable(sweep, solve)(y0, theta, noise))


def _is_float(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jnp.inexact)


def _with(solve: JaxSolve, others: Any) -> JaxSolve:
    """The solve of which f and g get, beside the float leaves that a sweep knows as θ, the other ones."""
    if not jax.tree.leaves(others):
        return solve

    def complete(floats: Any) -> Any:
        return jax.tree.map(lambda x, other: other if x is None else x, floats, others, is_leaf=lambda x: x is None)

    return replace(solve, complete=complete)


@jax.custom_jvp
def _once(tree: Any) -> Any:
    """The same arrays, which refuse to be differentiated: they stand inside of a derivative already."""
    return tree


@_once.defjvp
def _refuse(primals: Any, tangents: Any) -> Any:
    raise NotImplementedError(
        "a native solve can be differentiated once only, in reverse mode: second derivatives of it are not supported"
    )
