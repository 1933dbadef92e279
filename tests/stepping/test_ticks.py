"""Ticks: where adaptive steps may end, on the way to t1 and back."""

from __future__ import annotations

import numpy as np
import pytest

from harness.grid import Grid
from harness.stepping.ticks import Ticks, Way

TIMES = (0.07, 0.1, 0.55, 1.0)
GRIDS = [Grid(0.0, 1.0, 6, 3), Grid(0.0, 1.0, 7, TIMES), Grid(-2.0, 1.0, 5, (-1.9999, 1.0))]


@pytest.mark.parametrize("grid", GRIDS)
def test_every_observation_is_an_even_tick(grid):
    ticks = Ticks.of(grid, noisy=True)
    marks = ticks.marks
    assert not (marks % 2).any()
    ends = np.append(grid.t0, grid.observed_times())
    np.testing.assert_allclose([ticks.time(np, mark) for mark in marks], ends, rtol=1e-15)
    every = np.array([ticks.time(np, tick) for tick in range(ticks.count + 1)])
    np.testing.assert_allclose(every, grid.t0 + ticks.elapsed_times(), atol=1e-14)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("grid", GRIDS)
def test_a_way_meets_every_observation_in_turn(grid, sign):
    """The longest steps that are allowed lead from one observation to the next, in the time between them."""
    way = Way(Ticks.of(grid, noisy=True), sign)
    place, met = 0, []
    while place < way.ticks.count:
        room, unit = way.ahead(np, place)
        assert way.met(np, place + room // 2) == (False, len(met))
        assert abs(way.time(np, place + room) - way.time(np, place)) == pytest.approx(room * unit, rel=1e-12)
        place += int(room)
        assert way.met(np, place) == (True, len(met) + 1)
        met.append(way.time(np, place))
    ends = np.append(grid.t0, grid.observed_times())
    np.testing.assert_allclose(met, ends[1:] if sign > 0 else ends[-2::-1], atol=1e-15)
