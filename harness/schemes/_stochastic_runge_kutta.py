"""Stochastic Runge–Kutta schemes over (W, H): the stages are the data, this is the algorithm.

The form is that of Foster, dos Reis & Strange, "High order splitting methods for SDEs satisfying a commutativity
condition" (SIAM J. Numer. Anal. 2024, arXiv 2210.17543), section 6: the space–time Lévy area H enters beside W, with
weights of its own.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.arithmetic import combine
from harness.arrays import A, Scalar
from harness.scheme import AbstractScheme, Noise, State
from harness.terms import Terms

if TYPE_CHECKING:
    from jaxtyping import Float

Row = tuple[float, ...]


@dataclass(frozen=True)
class Stage:
    """One evaluation, of f or of g, at t0 + c dt and y0 + Σ a_i f_i dt + Σ (w_j W + h_j H) g_j.

    f_i and g_j are the earlier evaluations, of f and of g each numbered in their own order; rows may end early.
    """

    of: Literal["f", "g"]
    c: float = 0.0
    a: Row = ()
    w: Row = ()
    h: Row = ()


@functools.cache
def _used(rows: tuple[Row, ...]) -> frozenset[int]:
    """The numbers of the evaluations that any row has a weight for."""
    return frozenset(j for row in rows for j, weight in enumerate(row) if weight)


class AbstractStochasticRungeKutta(AbstractScheme):
    """y1 = y0 + Σ b_i f_i dt + Σ (b_w_j W + b_h_j H) g_j, the f_i and g_j being those of the stages."""

    stages: ClassVar[tuple[Stage, ...]]
    b: ClassVar[Row]
    b_w: ClassVar[Row]
    b_h: ClassVar[Row] = ()

    def init(self, terms: Terms, t0: Scalar, y0: Float[A, "batch dim"]) -> State[A]:
        """y alone."""
        del terms, t0
        return (y0,)

    def step(self, terms: Terms, t0: Scalar, dt: Scalar, state: State[A], dW: Noise[A]) -> State[A]:
        """Each product of an evaluation with dt, W or H is made once, where any stage or the result needs it."""
        (y0,) = state
        W, H = dW if isinstance(dW, tuple) else (dW, None)
        assert W is not None  # these schemes are for SDEs
        with_w = _used((*(s.w for s in self.stages), self.b_w))
        with_h = _used((*(s.h for s in self.stages), self.b_h))
        f_dt: list[A] = []
        g_W: list[A] = []
        g_H: list[A] = []

        def shifted(a: Row, w: Row, h: Row) -> Float[A, "batch dim"]:
            y = y0
            for weights, values in ((a, f_dt), (w, g_W), (h, g_H)):
                shift = combine(weights, values)
                y = y if shift is None else y + shift
            return y

        for s in self.stages:
            t, y = t0 + s.c * dt, shifted(s.a, s.w, s.h)
            if s.of == "f":
                f_dt.append(terms.f(t, y) * dt)
            else:
                g, j = terms.g(t, y), len(g_W)
                assert g is not None
                g_W.append(terms.noise_product(g, W) if j in with_w else y0)  # y0 only holds a place that none reads
                g_H.append(y0 if H is None or j not in with_h else terms.noise_product(g, H))
        return (shifted(self.b, self.b_w, self.b_h),)
