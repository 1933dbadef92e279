"""Dormand and Prince's fifth-order scheme for ODEs."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


class Dopri5(AbstractRungeKutta):
    """Order 5. Dormand & Prince, "A family of embedded Runge–Kutta formulae", J. Comp. Appl. Math. 6 (1980), table 2.

    The embedded fourth-order weights and the continuous extension, of order 4 too, are Shampine's, "Some practical
    Runge–Kutta formulas", Math. Comp. 46 (1986), as torchdiffeq and diffrax have them. They need the increment at the
    end of the step, the first of the next one, which steps of a fixed length go without. The coefficients of its
    leading error were made small, so that a higher order shows at large steps: on Van der Pol's oscillator 6.5 to 7 up
    to 256 steps, and 5 beyond 1000 (seen in extended precision; in double precision rounding comes first).
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
    dense = (
        (1.0, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432),
        (0.0, 0.0, 0.0, 0.0),
        (0.0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799),
        (0.0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072),
        (0.0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632),
        (0.0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844),
        (0.0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423),
    )
