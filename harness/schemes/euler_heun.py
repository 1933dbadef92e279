"""The Euler–Heun scheme."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._stochastic_runge_kutta import AbstractStochasticRungeKutta, Stage


class EulerHeun(AbstractStochasticRungeKutta):
    """Order 1 for Stratonovich SDEs with commutative noise, ½ otherwise: Euler in f, Heun in g.

    y1 = y0 + f dt + ½ (g(t0, y0) + g(t1, y0 + g(t0, y0) dW)) dW, as in torchsde. diffrax's EulerHeun takes t0 in both
    places, another scheme where g reads the time. Rümelin, SIAM J. Numer. Anal. 19 (1982), has the convergence.
    """

    name = "euler-heun"
    calculi = ("stratonovich",)
    noises = ("additive", "scalar", "diagonal", "general")
    evaluations = 1
    evaluations_of_g = 2
    orders = Orders(additive=1, commutative=1, general=0.5)
    summary = "Euler–Heun: order 1 for commutative noise, else 1/2, Stratonovich"
    stages = (Stage("f"), Stage("g"), Stage("g", 1.0, w=(1.0,)))
    b = (1.0,)
    b_w = (0.5, 0.5)
