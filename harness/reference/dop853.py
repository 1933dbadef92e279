"""The scheme of the ODE reference: order 8, explicit."""

from __future__ import annotations

import numpy as np
from scipy.integrate import DOP853

from harness.scheme import Orders
from harness.schemes._runge_kutta import AbstractRungeKutta


def _rows(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(weight) for weight in row[:i]) for i, row in enumerate(matrix))


class Dop853(AbstractRungeKutta):
    """Order 8 in 12 stages, by Dormand and Prince (Hairer, Nørsett & Wanner 1993, section II.10).

    The coefficients are those of scipy's `DOP853`, which chooses the reference's steps.
    """

    name = "dop853"
    calculi = ("ito", "stratonovich")
    noises = ("none",)
    evaluations = 12
    orders = Orders(none=8)
    summary = "Dormand–Prince 8(5,3), for the reference"
    a = _rows(DOP853.A[:12, :12])
    b = tuple(float(weight) for weight in DOP853.B)
    c = tuple(float(node) for node in DOP853.C[:12])
