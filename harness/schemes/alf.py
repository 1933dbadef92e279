"""The asynchronous leapfrog integrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arrays import A, Scalar
from harness.scheme import AbstractReversibleScheme, Noise, Orders, State
from harness.terms import Terms

if TYPE_CHECKING:
    from jaxtyping import Float


class ALF(AbstractReversibleScheme):
    """Order 2 for ODEs; algebraically reversible. The state is (y, v), v ≈ dy/dt.

    Mutze, "An asynchronous leapfrog method II", 2013 (arXiv 1311.6602); Zhuang, Dvornek, Tatikonda & Duncan, "MALI: a
    memory efficient and reverse accurate integrator for neural ODEs", ICLR 2021 (arXiv 2102.04668), algorithm 2, here
    undamped (η = 1).
    """

    name = "alf"
    calculi = ("ito", "stratonovich")
    noises = ("none",)
    evaluations = 1
    orders = Orders(none=2)
    summary = "asynchronous leapfrog: order 2, ODEs only; reversible"

    def init(self, terms: Terms, t0: Scalar, y0: Float[A, "batch dim"]) -> State[A]:
        """v = f(t0, y)."""
        return (y0, terms.f(t0, y0))

    def step(self, terms: Terms, t0: Scalar, dt: Scalar, state: State[A], dW: Noise[A]) -> State[A]:
        """Half a step along v, v reflected in f there, half a step along the new v."""
        del dW
        y0, v0 = state
        half = 0.5 * dt
        y = y0 + half * v0
        v1 = 2 * terms.f(t0 + half, y) - v0
        return (y + half * v1, v1)

    def reverse(self, terms: Terms, t1: Scalar, dt: Scalar, state1: State[A], dW: Noise[A]) -> State[A]:
        """The same step with −dt: it is symmetric."""
        return self.step(terms, t1, -dt, state1, dW)
