"""The effectively symmetric scheme EES(2,7)."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta

_ROOT = 2**0.5


class EES27(AbstractRungeKutta):
    """Order 2 for ODEs, 1 for Stratonovich SDEs with commutative noise, ½ otherwise; antisymmetric order 7.

    A step followed by the step back, with −h and −dW, is the identity up to O(h⁸) for an ODE, O(h⁴) for an SDE.
    Shmelev, Ebrahimi-Fard, Tapia & Salvi 2025 (arXiv 2507.21006): the member b_1 = (2 − √2) / 4 of the family, whose
    tableau is sparse. The tests check the coefficients: the elementary weights of the composition vanish for every tree
    of up to 7 nodes, not of 8.
    """

    name = "ees27"
    calculi = ("stratonovich",)
    evaluations = 4
    orders = Orders(none=2, additive=1, commutative=1, general=0.5)
    effectively_symmetric = True
    summary = "EES(2,7): order 1 for commutative noise, else 1/2, Stratonovich; 2 for ODEs; reversible up to O(h^8)"
    a = ((), (1 - _ROOT / 2,), (0.0, _ROOT / 2), (1 - _ROOT / 2, 0.0, _ROOT / 2))
    b = ((2 - _ROOT) / 4, _ROOT / 4, _ROOT / 4, (2 - _ROOT) / 4)
    c = (0.0, 1 - _ROOT / 2, _ROOT / 2, 1.0)
