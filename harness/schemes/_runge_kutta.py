"""Explicit Runge–Kutta schemes: a tableau is the data, this is the algorithm.

Applied to the increment f dt + g dW they solve ODEs with their own order and Stratonovich SDEs where their weights
satisfy Σ b_i c_i = ½ (Burrage & Burrage, Appl. Numer. Math. 22, 1996, section 3); Euler's, with
a single stage at the left end, solves Itô SDEs.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.arithmetic import combine
from harness.scheme import AbstractScheme, State
from harness.terms import Terms


class AbstractRungeKutta(AbstractScheme):
    """An explicit Runge–Kutta scheme. `a[i]` weighs the increments of earlier stages for stage i, `b` the result."""

    a: ClassVar[tuple[tuple[float, ...], ...]]
    b: ClassVar[tuple[float, ...]]
    c: ClassVar[tuple[float, ...]]
    b_error: ClassVar[tuple[float, ...] | None] = None
    """`b` less the weights of an embedded scheme of one order less, None where there is none: Σ b_error_i k_i estimates
    the error of a step. One weight more than there are stages is that of the increment at (t1, y1), which is the next
    step's first."""

    def init(self, terms: Terms, t0: Any, y0: Any) -> State:
        """y alone."""
        del terms, t0
        return (y0,)

    def step(self, terms: Terms, t0: Any, dt: float, state: State, dW: Any) -> State:
        """y1 = y0 + Σ b_i k_i, with k_i the increment at y0 + Σ a_ij k_j."""
        (y0,) = state
        return (self._add_to(y0, terms, t0, dt, y0, dW),)

    def change(self, terms: Terms, t0: Any, dt: float, y0: Any, dW: Any) -> Any:
        """Σ b_i k_i, (batch, dim): what a step from y0 adds to it. dt may be negative: a step backwards from t0."""
        return self._add_to(None, terms, t0, dt, y0, dW)

    def _add_to(self, start: Any, terms: Terms, t0: Any, dt: Any, y0: Any, dW: Any) -> Any:
        if terms.problem.noise == "none" and isinstance(dt, float):
            tableau = with_weights_times(self, dt)
            return combine(tableau.b, stages(tableau, terms, t0, dt, y0, dW, unit=1), start)
        return combine(self.b, stages(self, terms, t0, dt, y0, dW), start)


@dataclass(frozen=True)
class Tableau:
    """The weights alone."""

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]


def with_error_stage(scheme: AbstractRungeKutta) -> Tableau:
    """With as many stages as `b_error` has weights: the increment at (t1, y1) is a stage that adds nothing."""
    if len(scheme.b_error or ()) == len(scheme.b):
        return Tableau(scheme.a, scheme.b, scheme.c)
    return Tableau((*scheme.a, scheme.b), (*scheme.b, 0.0), (*scheme.c, 1.0))


@functools.lru_cache
def with_weights_times(tableau: Tableau | AbstractRungeKutta, dt: float) -> Tableau:
    """The weights times dt. An ODE's stages are then f itself, and no array is multiplied by dt alone."""
    a = tuple(tuple(dt * weight for weight in row) for row in tableau.a)
    return Tableau(a, tuple(dt * weight for weight in tableau.b), tableau.c)


def stages(
    tableau: Tableau | AbstractRungeKutta, terms: Terms, t0: Any, dt: Any, y0: Any, dW: Any, unit: Any = None
) -> list[Any]:
    """k_i, the increment at y0 + Σ a_ij k_j, of every stage: f dt + g dW, or f `unit` + g dW."""
    increments: list[Any] = []
    for a, c in zip(tableau.a, tableau.c, strict=True):
        y = combine(a, increments, y0)
        increments.append(terms.increment(t0 + c * dt, y, dt if unit is None else unit, dW))
    return increments
