"""A Runge–Kutta scheme's step with its stages kept, and differentiated at them, JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.clock import Clock
from harness.methods.jax._solve import JaxSolve
from harness.scheme import State
from harness.terms import Terms


def step_keeping(solve: JaxSolve, n: Any, state: State, theta: Any, dW: Any) -> tuple[State, tuple[Any, ...]]:
    """The state after step n, and the points at which it evaluated f and g, but for the first, the state itself."""
    points = _Points()
    return _step(solve, n, state, theta, dW, points), tuple(points.seen[1:])


def step_at(solve: JaxSolve, n: Any, state: State, theta: Any, dW: Any, kept: tuple[Any, ...]) -> State:
    """The same with the points that were kept. Their cotangents go where they come from in a step.

    So a derivative needs no value of f and g that serves a stage alone, and their last layers aren't computed again.
    """
    return _step(solve, n, state, theta, dW, _Points(kept))


def _step(solve: JaxSolve, n: Any, state: State, theta: Any, dW: Any, points: _Points) -> State:
    clock = Clock.of(solve.problem, solve.case)
    terms = _TermsAt(jnp, solve.problem, solve.complete(theta), clock=clock, at=points)
    return solve.scheme.step(terms, solve.time(n), solve.dt(n), state, dW)


class _Points:
    """The distinct points of a step in order, those after the first replaced by what was kept, if anything was."""

    def __init__(self, kept: tuple[Any, ...] | None = None) -> None:
        self.seen: list[Any] = []
        self._used: list[Any] = []
        self._kept = kept

    def __call__(self, y: Any) -> Any:
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

    at: Callable[[Any], Any]

    def f(self, t: Any, y: Any) -> Any:
        """The drift."""
        return super().f(t, self.at(y))

    def g(self, t: Any, y: Any) -> Any:
        """The diffusion."""
        return super().g(t, self.at(y))


@jax.custom_vjp
def _replaced(y: Any, kept: Any) -> Any:
    """`kept`, which is y's value, as a function of y: its derivative by y is one."""
    del y
    return kept


def _replaced_forward(y: Any, kept: Any) -> tuple[Any, None]:
    del y
    return kept, None


def _replaced_backward(_: None, cotangent: Any) -> tuple[Any, Any]:
    return cotangent, jnp.zeros_like(cotangent)


_replaced.defvjp(_replaced_forward, _replaced_backward)
