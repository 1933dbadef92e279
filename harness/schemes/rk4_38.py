"""Kutta's 3/8-rule for ODEs."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


class RK438(AbstractRungeKutta):
    """Order 4. Kutta 1901; Hairer, Nørsett & Wanner 1993, table II.1.2. What torchdiffeq calls rk4."""

    name = "rk4-38"
    calculi = ("ito", "stratonovich")
    noises = ("none",)
    evaluations = 4
    orders = Orders(none=4)
    summary = "Kutta's 3/8-rule: order 4, ODEs only (torchdiffeq's rk4)"
    a = ((), (1 / 3,), (-1 / 3, 1.0), (1.0, -1.0, 1.0))
    b = (1 / 8, 3 / 8, 3 / 8, 1 / 8)
    c = (0.0, 1 / 3, 2 / 3, 1.0)
