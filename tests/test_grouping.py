"""Grouping: records that differ in any axis that isn't varied on purpose are apart, and their names say so."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.case import AXES
from harness.grouping import KEYS, differing, groups, telling, words


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    """Records with a value in every axis, those given changed."""
    usual = dict.fromkeys(KEYS, "a")
    return pd.DataFrame([{**usual, **row} for row in rows])


def test_every_axis_the_seed_and_the_machine_hold_a_group_together():
    assert set(KEYS) == {*AXES, "seed", "machine"}


@pytest.mark.parametrize("axis", KEYS)
def test_a_group_is_equal_in_all_that_is_not_varied(axis):
    records = frame({}, {axis: "b"})
    assert [len(group) for _, group in groups(records, varied=[])] == [1, 1]
    ((place, group),) = groups(records, varied=[axis])
    assert axis not in place
    assert len(group) == 2


def test_a_missing_value_is_a_value():
    records = frame({"rtol": None}, {"rtol": None}, {"rtol": 0.1})
    assert sorted(len(group) for _, group in groups(records, varied=["steps"])) == [1, 2]
    assert differing(records) == ["rtol"]


def test_an_axis_that_another_tells_is_not_named():
    records = frame({"scheme": "euler", "calculus": "ito"}, {"scheme": "heun", "calculus": "stratonovich"})
    assert differing(records) == ["calculus", "scheme"]
    assert telling(records) == ["scheme"]
    assert telling(records, but=["scheme"]) == ["calculus"]
    assert telling(records, ["method", "scheme"]) == []


def test_a_machine_is_named_though_another_axis_tells_it():
    records = frame({"scheme": "euler", "machine": "a"}, {"scheme": "heun", "machine": "b"})
    assert telling(records) == ["scheme", "machine"]
    assert telling(records, but=["machine"]) == ["scheme"]


def test_numbers_have_the_name_of_their_axis():
    place = {"noise": "diagonal", "calculus": "ito", "dim": 4, "rtol": 1e-3, "atol": float("nan")}
    assert words(place, place) == ["diagonal", "ito", "dim 4", "rtol 0.001"]
    assert words({**place, "noise": "none"}, ["noise", "calculus"]) == ["none"]
