"""A Runge–Kutta scheme's step with its stages kept, and differentiated at them, JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from harness.arrays import A, Scalar
from harness.brownian.jax_noise import Index
from harness.methods.jax._solve import JaxSolve, Y
from harness.scheme import Noise, State
from harness.terms import Terms


def step_keeping(
    solve: JaxSolve, n: Index, state: State[Array], theta: PyTree, dW: Noise[Array]
) -> tuple[State[Array], tuple[Y, ...]]:
    """The state after step n, and the points at which it evaluated f and g, but for the first, the state itself."""
    points = _Points()
    return _step(solve, n, state, theta, dW, points), tuple(points.seen[1:])


def step_at(
    solve: JaxSolve,
    n: Index,
    state: State[Array],
    theta: PyTree,
    dW: Noise[Array],
    kept: tuple[Y, ...],
) -> State[Array]:
    """The same with the points that were kept. Their cotangents go where they come from in a step.

    So a derivative needs no value of f and g that serves a stage alone, and their last layers aren't computed again.
    """
    return _step(solve, n, state, theta, dW, _Points(kept))


def _step(
    solve: JaxSolve, n: Index, state: State[Array], theta: PyTree, dW: Noise[Array], points: _Points
) -> State[Array]:
    terms = _TermsAt(jnp, solve.problem, solve.complete(theta), clock=solve.clock, at=points)
    return solve.scheme.step(terms, solve.time(n), solve.dt(n), state, dW)


class _Points:
    """The distinct points of a step in order, those after the first replaced by what was kept, if anything was."""

    def __init__(self, kept: tuple[Y, ...] | None = None) -> None:
        self.seen: list[Y] = []
        self._used: list[Y] = []
        self._kept = kept

    def __call__(self, y: Y) -> Y:
        for point, used in zip(self.seen, self._used, strict=True):
            if point is y:
                return used
        kept = y if self._kept is None or not self.seen else _replaced(y, self._kept[len(self.seen) - 1])
        self.seen.append(y)
        self._used.append(kept)
        return kept


@dataclass(frozen=True, kw_only=True)
class _TermsAt(Terms):
    """f and g evaluated at what `at` makes of a point."""

    at: Callable[[PyTree], PyTree]  # from array to array of JAX; `Terms` is written for any framework's

    def drift(self, t: Scalar, y: Float[A, "batch dim"]) -> Float[A, "batch dim"]:
        """The drift."""
        return super().drift(t, self.at(y))

    def g(self, t: Scalar, y: Float[A, "batch dim"]) -> Float[A, "rows ..."] | None:
        """The diffusion."""
        return super().g(t, self.at(y))


@jax.custom_vjp
def _replaced(y: Y, kept: Y) -> Y:
    """`kept`, which is y's value, as a function of y: its derivative by y is one."""
    del y
    return kept


def _replaced_forward(y: Y, kept: Y) -> tuple[Y, None]:
    del y
    return kept, None


def _replaced_backward(_: None, cotangent: Y) -> tuple[Y, Y]:
    return cotangent, jnp.zeros_like(cotangent)


_replaced.defvjp(_replaced_forward, _replaced_backward)
