"""The reversible Heun scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arithmetic import axpy
from harness.arrays import A, Scalar
from harness.scheme import AbstractReversibleScheme, Noise, Orders, State, increment_of
from harness.terms import Terms

if TYPE_CHECKING:
    from jaxtyping import Float


class ReversibleHeun(AbstractReversibleScheme):
    """Order 1 for Stratonovich SDEs with commutative noise, ½ otherwise; order 2 for ODEs; algebraically reversible.

    Kidger, Foster, Li & Lyons, "Efficient and accurate gradients for neural SDEs", NeurIPS 2021 (arXiv 2105.13493),
    algorithm 1, who prove ½, and 1 for additive noise. Where noise commutes it is Heun's: with e = z − y a step has
    e1 = −e0 + ½ (F(z0) − F(z1)), so that e is a random walk of alternating sign, O(√h); to first order it cancels
    in ½ (F(z0) + F(z1)), what is left of it sums to O(h). The state is (y, z, f(z), g(z)), so that a step evaluates
    f and g once.
    """

    name = "reversible-heun"
    calculi = ("stratonovich",)
    evaluations = 1
    orders = Orders(none=2, additive=1, commutative=1, general=0.5)
    summary = "reversible Heun: order 1 for commutative noise, else 1/2, Stratonovich; 2 for ODEs; reversible"

    # g is None for an ODE, which `State` leaves out: no other scheme has such an entry.

    def init(self, terms: Terms, t0: Scalar, y0: Float[A, "batch dim"]) -> State[A]:
        """z = y."""
        return (y0, y0, *terms.f_and_g(t0, y0))  # pyright: ignore[reportReturnType]

    def step(self, terms: Terms, t0: Scalar, dt: Scalar, state: State[A], dW: Noise[A]) -> State[A]:
        """z1 = 2 y0 − z0 + F0, y1 = y0 + ½ (F0 + F1), with F the increment that belongs to z."""
        y0, z0, f0, g0 = state
        dW = increment_of(dW)
        t1 = t0 + dt
        increment0 = terms.product(f0, g0, dt, dW)
        z1 = axpy(2, y0, increment0 - z0)
        f1, g1 = terms.f_and_g(t1, z1)
        y1 = axpy(0.5, increment0 + terms.product(f1, g1, dt, dW), y0)
        return (y1, z1, f1, g1)  # pyright: ignore[reportReturnType]

    def reverse(self, terms: Terms, t1: Scalar, dt: Scalar, state1: State[A], dW: Noise[A]) -> State[A]:
        """z0 = 2 y1 − z1 − F1, y0 = y1 − ½ (F0 + F1)."""
        y1, z1, f1, g1 = state1
        dW = increment_of(dW)
        t0 = t1 - dt
        increment1 = terms.product(f1, g1, dt, dW)
        z0 = axpy(2, y1, -increment1 - z1)
        f0, g0 = terms.f_and_g(t0, z0)
        y0 = axpy(-0.5, terms.product(f0, g0, dt, dW) + increment1, y1)
        return (y0, z0, f0, g0)  # pyright: ignore[reportReturnType]
