"""The effectively symmetric scheme EES(2,5)."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


class EES25(AbstractRungeKutta):
    """Order 2 for ODEs, 1 for Stratonovich SDEs with commutative noise, ½ otherwise; antisymmetric order 5.

    A step followed by the step back, with −h and −dW, is the identity up to O(h⁶) for an ODE, O(h³) for an SDE, in
    which an increment is of size √h. Shmelev, Ebrahimi-Fard, Tapia & Salvi, "Explicit and effectively symmetric
    Runge–Kutta methods", 2025 (arXiv 2507.21006): the member x = b_1 = 1/10 of the family EES(2,5; x). The tests check
    the coefficients: the elementary weights of the composition vanish for every tree of up to 5 nodes, not of 6.
    """

    name = "ees25"
    calculi = ("stratonovich",)
    evaluations = 3
    orders = Orders(none=2, additive=1, commutative=1, general=0.5)
    effectively_symmetric = True
    summary = "EES(2,5): order 1 for commutative noise, else 1/2, Stratonovich; 2 for ODEs; reversible up to O(h^6)"
    a = ((), (1 / 3,), (-5 / 48, 15 / 16))
    b = (1 / 10, 1 / 2, 2 / 5)
    c = (0.0, 1 / 3, 5 / 6)
