"""The classical fourth-order Runge–Kutta scheme for ODEs."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


class RK4(AbstractRungeKutta):
    """Order 4. Kutta 1901; Hairer, Nørsett & Wanner 1993, table II.1.2."""

    name = "rk4"
    calculi = ("ito", "stratonovich")
    noises = ("none",)
    evaluations = 4
    orders = Orders(none=4)
    summary = "classical Runge–Kutta: order 4, ODEs only"
    a = ((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0))
    b = (1 / 6, 1 / 3, 1 / 3, 1 / 6)
    c = (0.0, 0.5, 0.5, 1.0)
