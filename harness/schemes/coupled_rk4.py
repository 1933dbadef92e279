"""The classical fourth-order Runge–Kutta scheme, coupled to be reversible."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._coupled import AbstractCoupled
from harness.schemes.rk4 import RK4


class CoupledRK4(AbstractCoupled):
    """Order 4 for ODEs; the coupling of McCallum & Foster 2024 (arXiv 2410.11648)."""

    name = "coupled-rk4"
    calculi = ("ito", "stratonovich")
    noises = ("none",)
    evaluations = 8
    orders = Orders(none=4)
    summary = "coupled classical Runge–Kutta (λ = 0.999): order 4, ODEs only; reversible"
    base = RK4()
