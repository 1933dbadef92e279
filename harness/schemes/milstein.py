"""Milstein's scheme for commutative noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arrays import A, Scalar
from harness.correction import drift_correction, jvp
from harness.scheme import AbstractScheme, Noise, Orders, State, increment_of
from harness.terms import Terms

if TYPE_CHECKING:
    from jaxtyping import Float


class Milstein(AbstractScheme):
    """Order 1 for commutative noise. Kloeden & Platen 1992, section 10.3, (3.3), (3.12) and (3.16).

    y1 = y0 + f dt + g dW + ½ Σ_jk (∂g_j/∂y) g_k (dW_j dW_k − δ_jk dt), without the −δ_jk dt for a Stratonovich SDE.
    For scalar noise, and for diagonal noise where g_i depends on y_i alone, the sum is ½ (∂g/∂y) g (dW² − dt).
    """

    name = "milstein"
    calculi = ("ito", "stratonovich")
    noises = ("additive", "scalar", "diagonal", "general")
    needs_commutative = True
    evaluations = 1
    orders = Orders(additive=1, commutative=1)
    summary = "Milstein: order 1 for commutative noise, Itô or Stratonovich"

    def init(self, terms: Terms, t0: Scalar, y0: Float[A, "batch dim"]) -> State[A]:
        """y alone."""
        del terms, t0
        return (y0,)

    def step(self, terms: Terms, t0: Scalar, dt: Scalar, state: State[A], dW: Noise[A]) -> State[A]:
        """The drift correction ½ Σ_j (∂g_j/∂y) g_j is a factor of the second-order term, or what Itô's takes off it."""
        (y,) = state
        problem, dW = terms.problem, increment_of(dW)
        assert dW is not None  # it is for SDEs
        ito = problem.calculus == "ito" and not terms.stratonovich
        if problem.noise in ("scalar", "diagonal"):
            f, g, correction = terms.with_correction(t0, y)
            square = dW * dW - dt if ito else dW * dW
            return (y + (terms.product(f, g, dt, dW) + correction * square),)
        change = terms.increment(t0, y, dt, dW)  # added to y as a whole, so that no small term is rounded by itself
        if problem.noise == "additive":
            return (y + change,)

        # Σ_jk (∂g_j/∂y) g_k dW_j dW_k is the derivative of y ↦ g(y) dW along g dW.
        def noise(state: Float[A, "batch dim"]) -> Float[A, "batch dim"]:
            g = terms.g(t0, state)
            assert g is not None
            return terms.noise_product(g, dW)

        change = change + 0.5 * jvp(terms.xp, noise, y, noise(y))
        if ito:
            change = change - dt * drift_correction(terms.xp, problem, t0, y, terms.theta)
        return (y + change,)
