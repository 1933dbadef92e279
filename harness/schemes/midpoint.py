"""The explicit midpoint scheme."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


class Midpoint(AbstractRungeKutta):
    """Order 1 for Stratonovich SDEs with commutative noise, ½ otherwise; order 2 for ODEs.

    Kloeden & Platen 1992, section 11.1.
    """

    name = "midpoint"
    calculi = ("stratonovich",)
    evaluations = 2
    orders = Orders(none=2, additive=1, commutative=1, general=0.5)
    summary = "explicit midpoint: order 1 for commutative noise, else 1/2, Stratonovich; 2 for ODEs"
    a = ((), (0.5,))
    b = (0.0, 1.0)
    c = (0.0, 0.5)
