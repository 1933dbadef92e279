"""Ralston's second-order scheme."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


class Ralston(AbstractRungeKutta):
    """Order 1 for Stratonovich SDEs with commutative noise, ½ otherwise; order 2 for ODEs.

    Of all second-order schemes in two stages it has the least bound on the error of a step. Ralston, "Runge–Kutta
    methods with minimum error bounds", Math. Comp. 16 (1962), section 3.
    """

    name = "ralston"
    calculi = ("stratonovich",)
    evaluations = 2
    orders = Orders(none=2, additive=1, commutative=1, general=0.5)
    summary = "Ralston: order 1 for commutative noise, else 1/2, Stratonovich; 2 for ODEs"
    a = ((), (2 / 3,))
    b = (1 / 4, 3 / 4)
    c = (0.0, 2 / 3)
    b_error = (-3 / 4, 3 / 4)
