"""Milstein's scheme for commutative diagonal noise."""

from __future__ import annotations

from typing import Any

from harness.correction import drift_correction
from harness.scheme import AbstractScheme, State
from harness.terms import Terms


class Milstein(AbstractScheme):
    """Order 1; each g_i must depend on y_i alone. Kloeden & Platen 1992, section 10.3, (3.3).

    y1 = y0 + f dt + g dW + ½ g ∂g/∂y (dW² − dt); with dW² in place of dW² − dt for a Stratonovich SDE.
    """

    name = "milstein"
    calculi = ("ito", "stratonovich")
    noises = ("diagonal",)
    needs_commutative = True
    evaluations = 1
    summary = "Milstein: order 1 for commutative diagonal noise, Itô or Stratonovich"

    def init(self, terms: Terms, t0: Any, y0: Any) -> State:
        """y alone."""
        del terms, t0
        return (y0,)

    def step(self, terms: Terms, t0: Any, dt: float, state: State, dW: Any) -> State:
        """The drift correction is ½ g ∂g/∂y, the very factor that the second-order term has."""
        (y,) = state
        half_gdg = drift_correction(terms.xp, terms.problem, t0, y, terms.theta)
        square = dW * dW
        if terms.problem.calculus == "ito" and not terms.stratonovich:
            square = square - dt
        return (y + terms.increment(t0, y, dt, dW) + half_gdg * square,)
