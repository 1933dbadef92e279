"""The coupling that makes any one-step scheme reversible.

McCallum & Foster, "Efficient, accurate and stable gradients for neural ODEs", 2024 (arXiv 2410.11648).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.arithmetic import axpy
from harness.arrays import A, Scalar
from harness.scheme import AbstractReversibleScheme, Noise, State, backward_noise, increment_of
from harness.schemes._runge_kutta import AbstractRungeKutta
from harness.terms import Terms

if TYPE_CHECKING:
    from jaxtyping import Float

COUPLING = 0.999  # λ, as in the paper's experiments
PULL = 1 - COUPLING


class AbstractCoupled(AbstractReversibleScheme):
    """Two copies (y, z) of the solution, each moved by the change Ψ of a base scheme at the other.

    y1 = λ y0 + (1 − λ) z0 + Ψ_h(z0) and z1 = z0 − Ψ_−h(y1), Ψ_−h being the change over the same stretch walked back:
    from t1, with −h and −dW. Its order is the base scheme's. λ < 1 pulls y towards z and so keeps the pair together;
    backwards the same factor pushes them apart, and rounding grows like λ^−N.

    λ is applied as y0 + (Ψ − (1 − λ)(y0 − z0)). Were y0 itself multiplied by λ, and by 1/λ on the way back, the
    rounding of these two numbers would be a bias of each step, in proportion to y; and were the small pull added to y0
    before Ψ, it would be lost wherever it is below half a unit in y's last place.

    When the order shows, for an ODE with Jacobian A: let y = x + a, z = x + b and the base scheme's error be C h^(p+1)
    a step. To leading order a step adds C h^(p+1) to a and −(−1)^(p+1) C h^(p+1) to b. For even p that is the same and
    a and b grow alike, as the base scheme's error does, O(h^p). Their distance d = a − b gets O(h^(p+2)) a step
    and follows d1 = (λ − hA) d0: it reaches O(h^(p+1)), times e^(|A| T) where the drift contracts (A < 0), unless
    λ^N has taken it away before, N being beyond 1/(1 − λ) = 1000 steps, and beyond 1000 |A| T of them where the drift
    contracts. So there order p + 1 shows until then (seen in extended precision: Van der Pol, μ = 3, has order 5
    with rk4 at 32–512 steps; with λ = 0.9 it is 4 from 128 on).
    """

    base: ClassVar[AbstractRungeKutta]
    order_note = (
        "y and z part by an error of the next order, growing where f contracts, that the coupling removes slowly"
    )

    def init(self, terms: Terms, t0: Scalar, y0: Float[A, "batch dim"]) -> State[A]:
        """z = y."""
        del terms, t0
        return (y0, y0)

    def step(self, terms: Terms, t0: Scalar, dt: Scalar, state: State[A], dW: Noise[A]) -> State[A]:
        """First y, then z from the new y."""
        y0, z0 = state
        dW = increment_of(dW)
        y1 = y0 + axpy(-PULL, y0 - z0, self.base.change(terms, t0, dt, z0, dW))
        z1 = z0 - self.base.change(terms, t0 + dt, -dt, y1, backward_noise(dW))
        return (y1, z1)

    def reverse(self, terms: Terms, t1: Scalar, dt: Scalar, state1: State[A], dW: Noise[A]) -> State[A]:
        """The same two lines, solved for z0 and then for y0."""
        y1, z1 = state1
        dW = increment_of(dW)
        z0 = z1 + self.base.change(terms, t1, -dt, y1, backward_noise(dW))
        change = self.base.change(terms, t1 - dt, dt, z0, dW)
        y0 = y1 - axpy(-PULL / COUPLING, y1 - change - z0, change)
        return (y0, z0)
