"""SlowRK, the strong order 3/2 scheme for Stratonovich SDEs with commutative noise."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._stochastic_runge_kutta import AbstractStochasticRungeKutta, Stage


class SlowRK(AbstractStochasticRungeKutta):
    """Order 1½ for Stratonovich SDEs with commutative noise, from W and H alone.

    Foster, dos Reis & Strange, "High order splitting methods for SDEs satisfying a commutativity condition" (arXiv
    2210.17543), equation (6.2): Ralston's scheme for the drift around the classical Runge–Kutta scheme for the noise,
    with the commutator of the two by a difference. diffrax has it under the same name.
    """

    name = "slowrk"
    calculi = ("stratonovich",)
    noises = ("additive", "scalar", "diagonal", "general")
    needs_levy_area = True
    needs_commutative = True
    evaluations = 2
    evaluations_of_g = 5
    orders = Orders(additive=1.5, commutative=1.5)
    summary = "SlowRK: order 3/2 for commutative noise, Stratonovich"
    stages = (
        Stage("f"),
        Stage("g", 0.5, a=(0.5,)),
        Stage("g", 0.5, a=(0.5,), w=(0.5,)),
        Stage("g", 0.5, a=(0.5,), w=(0.0, 0.5)),
        Stage("g", 0.5, a=(0.5,), w=(0.0, 0.0, 1.0)),
        Stage("f", 0.75, a=(0.75,), w=(0.0, 0.0, 0.75), h=(0.0, 0.0, 1.5)),
        Stage("g", 1.0, a=(1.0,), w=(0.0, 0.5)),
    )
    b = (1 / 3, 2 / 3)
    b_w = (1 / 6, 1 / 3, 1 / 3, 1 / 6, 0.0)
    b_h = (0.0, 0.0, 2.0, 0.0, -2.0)
