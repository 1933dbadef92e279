"""Euler's scheme, coupled to be reversible."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._coupled import AbstractCoupled
from harness.schemes.euler import Euler


class CoupledEuler(AbstractCoupled):
    """Order 1 for ODEs and additive noise; the coupling of McCallum & Foster 2024 (arXiv 2410.11648).

    Not for noise that depends on y: z reads g at the right end of a step and y at the left one, and the pair converges
    neither to the Itô solution nor to the Stratonovich one. Their mean follows the trapezoidal rule, order 2 for an
    ODE; their distance, −dt² ∂f f a step, is what makes the order 1, and it is pulled back over 1 / (1 − λ) steps: a
    solve of as many shows more than order 1.
    """

    name = "coupled-euler"
    calculi = ("ito", "stratonovich")
    noises = ("none", "additive")
    evaluations = 2
    orders = Orders(none=1, additive=1)
    order_note = "y and z err apart by what the coupling removes over 1 / (1 − λ) = 1000 steps"
    summary = "coupled Euler (λ = 0.999): order 1 for ODEs and additive noise; reversible"
    base = Euler()
