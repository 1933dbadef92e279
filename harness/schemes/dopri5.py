"""Dormand and Prince's fifth-order scheme for ODEs."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


class Dopri5(AbstractRungeKutta):
    """Order 5. Dormand & Prince, "A family of embedded Runge–Kutta formulae", J. Comp. Appl. Math. 6 (1980), table 2.

    The embedded fourth-order weights are Shampine's, "Some practical Runge–Kutta formulas", Math. Comp. 46 (1986), as
    torchdiffeq and diffrax have them. They need the increment at the end of the step, the first of the next one, which
    steps of a fixed length go without. The coefficients of its leading error were made small, so that a higher order
    shows at large steps: on Van der Pol's oscillator 6.5 to 7 up to 256 steps, and 5 beyond 1000 (seen in extended
    precision; in double precision rounding comes first).
    """

    name = "dopri5"
    calculi = ("ito", "stratonovich")
    noises = ("none",)
    evaluations = 6
    orders = Orders(none=5)
    order_note = (
        "the coefficients of its leading error are small by design, so that the next orders show at large steps"
    )
    summary = "Dormand–Prince 5(4): order 5, ODEs only"
    a = (
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    )
    b = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
    c = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0)
    b_error = (
        35 / 384 - 1951 / 21600,
        0.0,
        500 / 1113 - 22642 / 50085,
        125 / 192 - 451 / 720,
        -2187 / 6784 + 12231 / 42400,
        11 / 84 - 649 / 6300,
        -1 / 60,
    )
