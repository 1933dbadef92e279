"""Explicit Runge–Kutta schemes: a tableau is the data, this is the algorithm.

Applied to the increment f dt + g dW they solve ODEs with their own order and Stratonovich SDEs where their weights
satisfy Σ b_i c_i = ½ (Burrage & Burrage, Appl. Numer. Math. 22, 1996, section 3); Euler's, with
a single stage at the left end, solves Itô SDEs.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.arithmetic import combine
from harness.arrays import A, Scalar
from harness.scheme import AbstractScheme, Noise, State, increment_of
from harness.terms import Terms

if TYPE_CHECKING:
    from jaxtyping import Float


class AbstractRungeKutta(AbstractScheme):
    """An explicit Runge–Kutta scheme. `a[i]` weighs the increments of earlier stages for stage i, `b` the result."""

    a: ClassVar[tuple[tuple[float, ...], ...]]
    b: ClassVar[tuple[float, ...]]
    c: ClassVar[tuple[float, ...]]
    b_error: ClassVar[tuple[float, ...] | None] = None
    """`b` less the weights of an embedded scheme of one order less, None where there is none: Σ b_error_i k_i estimates
    the error of a step. One weight more than there are stages is that of the increment at (t1, y1), which is the next
    step's first."""
    dense: ClassVar[tuple[tuple[float, ...], ...] | None] = None
    """The continuous extension, None where there is none: y(t0 + x dt) = y0 + Σ_ij dense_ij x^{j+1} k_i for 0 ≤ x ≤ 1,
    a row for each weight of `b_error`."""

    def init(self, terms: Terms, t0: Scalar, y0: Float[A, "batch dim"]) -> State[A]:
        """y alone."""
        del terms, t0
        return (y0,)

    def step(self, terms: Terms, t0: Scalar, dt: Scalar, state: State[A], dW: Noise[A]) -> State[A]:
        """y1 = y0 + Σ b_i k_i, with k_i the increment at y0 + Σ a_ij k_j."""
        (y0,) = state
        return (combine(*self._weighted(terms, t0, dt, y0, increment_of(dW)), y0),)

    def change(
        self, terms: Terms, t0: Scalar, dt: Scalar, y0: Float[A, "batch dim"], dW: Float[A, "batch noise_dim"] | None
    ) -> Float[A, "batch dim"]:
        """Σ b_i k_i: what a step from y0 adds to it. dt may be negative: a step backwards from t0."""
        change = combine(*self._weighted(terms, t0, dt, y0, dW))
        assert change is not None  # some b_i isn't zero
        return change

    def _weighted(
        self, terms: Terms, t0: Scalar, dt: Scalar, y0: Float[A, "batch dim"], dW: Float[A, "batch noise_dim"] | None
    ) -> tuple[tuple[float, ...], list[A]]:
        """The weights of the result, and what they weigh: the increments, or f itself where dt is in the weights."""
        if terms.problem.noise == "none" and isinstance(dt, float):
            tableau = with_weights_times(self, dt)
            return tableau.b, stages(tableau, terms, t0, dt, y0, dW, unit=1)
        return self.b, stages(self, terms, t0, dt, y0, dW)


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
    tableau: Tableau | AbstractRungeKutta,
    terms: Terms,
    t0: Scalar,
    dt: Scalar,
    y0: Float[A, "batch dim"],
    dW: Float[A, "batch noise_dim"] | None,
    unit: Scalar | None = None,
) -> list[A]:
    """k_i, the increment at y0 + Σ a_ij k_j, of every stage: f dt + g dW, or f `unit` + g dW."""
    increments: list[A] = []
    for a, c in zip(tableau.a, tableau.c, strict=True):
        y = combine(a, increments, y0)
        increments.append(terms.increment(t0 + c * dt, y, dt if unit is None else unit, dW))
    return increments
