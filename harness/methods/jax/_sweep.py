"""A gradient method as a differentiable solve: forwards, and backwards from the cotangents of the observed states."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.methods.jax._loss import LossGradient, gradient_of
from harness.methods.jax._solve import JaxSolve, Observed, Y

Solve = Callable[[Y, PyTree, NoiseArgument], Observed]
"""(y0, θ, noise) -> the observed states."""


class AbstractSweep(ABC):
    """A reverse-mode gradient method, cut where the loss stands.

    Subclasses are frozen dataclasses: what they hold are options of the method, so that equal sweeps share one
    compiled program. Every leaf of `theta` is a float array here; `differentiable` sees to the others.
    """

    @abstractmethod
    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """The observed states, and a tree of arrays that `backward` is given."""

    @abstractmethod
    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """∂L/∂y0, and ∂L/∂θ, a tree as `theta`; `ys_bar` is ∂L/∂ys."""

    def states(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> Observed:
        """The observed states where no derivative is taken."""
        return solve.forward(y0, theta, noise)[1]

    def gradient(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[PyTree, ...]:
        """(loss, ∂L/∂θ, ∂L/∂y0) of the problem's loss, and the evaluations of f where a sweep counts them."""

        def differentiated(solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> Observed:
            return differentiable(self, solve)(y0, theta, noise)

        return gradient_of(differentiated)(solve, y0, theta, noise)


def differentiable(sweep: AbstractSweep, solve: JaxSolve) -> Solve:
    """The solve with the sweep as its derivative: a function of (y0, θ, noise), under `jit`, `vmap` and `grad`.

    y0 is (batch, dim), θ any tree of arrays, the noise what `harness.brownian.jax_noise.noise_argument` makes. The
    result is differentiable in y0 and in every float leaf of θ. Integers and keys in θ, and the noise, get no
    derivative. A second derivative raises NotImplementedError. Where no derivative is taken nothing is kept.
    """

    @jax.custom_vjp
    def differentiated(y0: Y, floats: PyTree, fixed: tuple[PyTree, NoiseArgument]) -> Observed:
        others, noise = fixed
        return sweep.states(_with(solve, others), y0, floats, noise)

    def forward(y0: Y, floats: PyTree, fixed: tuple[PyTree, NoiseArgument]) -> tuple[Observed, PyTree]:
        y0, floats = _once((y0, floats))
        others, noise = fixed
        ys, residual = sweep.forward(_with(solve, others), y0, floats, noise)
        return ys, (floats, fixed, residual)

    def backward(kept: PyTree, ys_bar: Observed) -> tuple[Y, PyTree, None]:
        floats, (others, noise), residual = kept
        return *sweep.backward(_with(solve, others), floats, noise, residual, _once(ys_bar)), None

    differentiated.defvjp(forward, backward)

    def solution(y0: Y, theta: PyTree, noise: NoiseArgument) -> Observed:
        floats = jax.tree.map(lambda x: x if _is_float(x) else None, theta)
        others = jax.tree.map(lambda x: None if _is_float(x) else x, theta)
        return differentiated(y0, floats, (others, noise))

    return solution


@functools.cache
def loss_gradient(sweep: AbstractSweep) -> LossGradient:
    """The gradient of the problem's loss by a sweep."""

    def gradient(solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[PyTree, ...]:
        return sweep.gradient(solve, y0, theta, noise)

    return gradient


def _is_float(x: Array) -> bool:
    return jnp.issubdtype(x.dtype, jnp.inexact)


def _with(solve: JaxSolve, others: PyTree) -> JaxSolve:
    """The solve of which f and g get, beside the float leaves that a sweep knows as θ, the other ones."""
    if not jax.tree.leaves(others):
        return solve

    def complete(floats: PyTree) -> PyTree:
        return jax.tree.map(lambda x, other: other if x is None else x, floats, others, is_leaf=lambda x: x is None)

    return replace(solve, complete=complete)


@jax.custom_jvp
def _once(tree: PyTree) -> PyTree:
    """The same arrays, which refuse to be differentiated: they stand inside of a derivative already."""
    return tree


@_once.defjvp
def _refuse(primals: tuple[PyTree], tangents: tuple[PyTree]) -> NoReturn:
    raise NotImplementedError(
        "a native solve can be differentiated once only, in reverse mode: second derivatives of it are not supported"
    )
