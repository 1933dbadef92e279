"""Euler–Maruyama."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


class Euler(AbstractRungeKutta):
    """Order ½ for Itô SDEs (1 for additive noise), 1 for ODEs. Maruyama 1955; Kloeden & Platen 1992, section 10.2."""

    name = "euler"
    calculi = ("ito",)
    evaluations = 1
    orders = Orders(none=1, additive=1, commutative=0.5, general=0.5)
    summary = "Euler–Maruyama: strong order 1/2, Itô"
    a = ((),)
    b = (1.0,)
    c = (0.0,)
