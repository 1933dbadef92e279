"""The grid of a solve: shared out, exact at the observations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.grid import Grid, canonical_observations


def longest(t0: float, ends: tuple[float, ...], shares: tuple[int, ...]) -> float:
    return max(np.diff([t0, *ends]) / shares)


@given(
    st.lists(st.floats(0.01, 10.0), min_size=2, max_size=4).map(lambda spans: tuple(np.cumsum(spans).tolist())),
    st.integers(0, 6),
)
@settings(max_examples=60, deadline=None)
def test_the_longest_step_is_as_short_as_any_shares_make_it(ends, more):
    steps = len(ends) + more
    grid = Grid(0.0, ends[-1], steps, ends)
    every = [shares for shares in itertools.product(range(1, steps + 1), repeat=len(ends)) if sum(shares) == steps]
    assert sum(grid.shares) == steps
    assert longest(0.0, ends, grid.shares) <= min(longest(0.0, ends, shares) for shares in every) * (1 + 1e-12)


def test_every_observation_is_a_grid_point_exactly():
    times = (0.1, 0.37, 0.9, 2.0)
    grid = Grid(0.0, 2.0, 50, times)
    assert grid.observed_times().tolist() == list(times)
    assert len(grid.times) == 51
    assert (np.diff(grid.times) > 0).all()
    np.testing.assert_allclose(grid.lengths, np.diff(grid.times), rtol=1e-12)
    assert grid.lengths.max() < 1.2 * 2.0 / 50


def test_a_grid_of_equal_steps():
    grid = Grid(0.5, 2.5, 12, 3)
    assert grid.stride == 4
    assert grid.equal_step == pytest.approx(1 / 6)
    assert grid.observed.tolist() == [4, 8, 12]
    np.testing.assert_allclose(grid.times, np.linspace(0.5, 2.5, 13), rtol=1e-15)


def test_times_that_are_equally_spaced_are_a_number():
    """Also where they were rounded to float32."""
    assert canonical_observations(0.0, 0.4, [0.1, 0.2, 0.1 + 0.2, 0.4]) == 4
    assert canonical_observations(0.0, 0.4, [0.1, 0.2, 0.4]) == (0.1, 0.2, 0.4)
    assert Grid.of(np.linspace(0, 1, 11, dtype=np.float32), 20, None).stride == 2


@pytest.mark.parametrize(
    ("ts", "dt", "shares"),
    [
        ([0.0, 0.5, 1.0], 0.25, (2, 2)),
        ([0.0, 0.5, 1.0], 0.3, (2, 2)),
        ([0.0, 0.1, 1.0], 0.3, (1, 3)),
        ([0.0, 0.1, 1.0], np.float32(0.1), (1, 9)),
        ([0.0, 0.1, 1.0], 5.0, (1, 1)),
    ],
)
def test_no_step_is_longer_than_dt(ts, dt, shares):
    assert Grid.of(ts, None, dt).shares == shares


@pytest.mark.parametrize(
    ("ts", "steps", "dt", "problem"),
    [
        ([0.0, 0.5, 1.0], 3, None, "divide"),
        ([0.0, 0.1, 0.2, 1.0], 2, None, "one each"),
        ([0.0, 1.0], None, None, "either steps or dt"),
        ([0.0, 1.0], 4, 0.1, "either steps or dt"),
        ([0.0, 1.0], None, -0.1, "positive"),
        ([0.0, 1.0], None, 1e-12, "longer step"),
        ([0.0, 0.0], 4, None, "increasing"),
        ([0.0], 4, None, "at least two"),
        ([0.0, 1.0], 2.5, None, "integer"),
    ],
)
def test_what_makes_no_grid_is_refused(ts, steps, dt, problem):
    with pytest.raises(ValueError, match=problem):
        Grid.of(ts, steps, dt)


def test_observations_must_end_the_interval():
    with pytest.raises(ValueError, match="t1 = 1"):
        Grid(0.0, 1.0, 8, (0.2, 0.9))
