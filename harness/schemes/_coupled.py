"""The coupling that makes any one-step scheme reversible.

McCallum & Foster, "Efficient, accurate and stable gradients for neural ODEs", 2024 (arXiv 2410.11648).
"""

from __future__ import annotations

from typing import Any, ClassVar

from harness.scheme import AbstractReversibleScheme, State, backward_noise
from harness.schemes._runge_kutta import AbstractRungeKutta
from harness.terms import Terms

COUPLING = 0.999  # λ, as in the paper's experiments


class AbstractCoupled(AbstractReversibleScheme):
    """Two copies (y, z) of the solution, each moved by the change Ψ of a base scheme at the other.

    y1 = λ y0 + (1 − λ) z0 + Ψ_h(z0) and z1 = z0 − Ψ_−h(y1), Ψ_−h being the change over the same stretch walked back:
    from t1, with −h and −dW. Its order is the base scheme's. λ < 1 pulls y towards z and so keeps the pair together;
    backwards the same factor pushes them apart, and rounding grows like λ^−N.
    """

    base: ClassVar[AbstractRungeKutta]

    def init(self, terms: Terms, t0: Any, y0: Any) -> State:
        """z = y."""
        del terms, t0
        return (y0, y0)

    def step(self, terms: Terms, t0: Any, dt: float, state: State, dW: Any) -> State:
        """First y, then z from the new y."""
        y0, z0 = state
        y1 = COUPLING * y0 + (1 - COUPLING) * z0 + self.base.change(terms, t0, dt, z0, dW)
        z1 = z0 - self.base.change(terms, t0 + dt, -dt, y1, backward_noise(dW))
        return (y1, z1)

    def reverse(self, terms: Terms, t1: Any, dt: float, state1: State, dW: Any) -> State:
        """The same two lines, solved for z0 and then for y0."""
        y1, z1 = state1
        z0 = z1 + self.base.change(terms, t1, -dt, y1, backward_noise(dW))
        y0 = (y1 - (1 - COUPLING) * z0 - self.base.change(terms, t1 - dt, dt, z0, dW)) / COUPLING
        return (y0, z0)
