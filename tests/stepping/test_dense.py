"""The continuous extension of dopri5: where observations lie in a step, and its order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from harness.grid import Grid
from harness.schemes._runge_kutta import with_error_stage
from harness.schemes.dopri5 import Dopri5
from harness.schemes.heun import Heun
from harness.stepping.dense import Dense


@pytest.fixture
def dense() -> Dense:
    """With three observations, two of them within an interval of any length."""
    found = Dense.of(Dopri5(), Grid(0.0, 1.0, 4, (0.2, 0.25, 1.0)))
    assert found is not None
    return found


def test_the_weights_are_shampines_as_scipy_has_them(dense):
    from scipy.integrate import RK45

    np.testing.assert_allclose(dense.weights, RK45.P, rtol=1e-14)


def test_a_step_begins_and_ends_in_its_own_states(dense):
    assert all(weight == 0 for _, weight in dense.weights_at(0.0))
    ends = dict(dense.weights_at(1.0))
    np.testing.assert_allclose([ends.get(stage, 0.0) for stage in range(7)], [*Dopri5.b, 0.0], atol=1e-14)


def test_observations_lie_at_their_times(dense):
    ticks = dense.marks() - dense.gaps()
    np.testing.assert_allclose(ticks * dense.ticks.mean, [0.2, 0.25, 1.0], rtol=1e-15)
    assert dense.marks()[-1] == dense.ticks.count
    assert ((dense.gaps() >= 0) & (dense.gaps() < 1)).all()


def test_it_is_of_order_four(dense):
    """y' = cos(t) y, over one step: the error falls as dt^5."""
    errors = []
    tableau = with_error_stage(Dopri5())
    for dt in (0.4, 0.2, 0.1):
        stages: list[float] = []
        for row, c in zip(tableau.a, tableau.c, strict=True):
            stages.append(np.cos(c * dt) * (1 + dt * sum(a * k for a, k in zip(row, stages, strict=False))))
        errors.append(max(abs(dense.state(x, dt, 1.0, stages) - np.exp(np.sin(x * dt))) for x in (0.3, 0.5, 0.8)))
    assert all(first / second > 2**4.5 for first, second in pairwise(errors))


def test_steps_end_at_observations_without_an_extension_or_with_one_observation():
    assert Dense.of(Heun(), Grid(0.0, 1.0, 4, 2)) is None
    assert Dense.of(Dopri5(), Grid(0.0, 1.0, 4, 1)) is None
