"""Heun's trapezoidal scheme."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


class Heun(AbstractRungeKutta):
    """Order 1 for Stratonovich SDEs with commutative noise, ½ otherwise; order 2 for ODEs. Rümelin 1982."""

    name = "heun"
    calculi = ("stratonovich",)
    evaluations = 2
    orders = Orders(none=2, additive=1, commutative=1, general=0.5)
    summary = "Heun: order 1 for commutative noise, else 1/2, Stratonovich; 2 for ODEs"
    a = ((), (1.0,))
    b = (0.5, 0.5)
    c = (0.0, 1.0)
    b_error = (-0.5, 0.5)
