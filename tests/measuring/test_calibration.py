"""The fixed calculation."""

from __future__ import annotations

from harness.measuring import calibration
from harness.measuring.calibration import calibration_seconds, spread


def test_it_is_the_median_and_the_spread_of_equal_calculations(monkeypatch):
    taken = iter([1.0, 9.0, 2.0, 3.0, 8.0, 4.0, 7.0])
    monkeypatch.setattr(calibration, "_once", lambda: next(taken))
    assert calibration_seconds() == 4.0
    taken = iter([*[2.0] * 20, *[3.0] * 8, 50.0, 50.0])
    assert spread() == 1.5


def test_it_takes_some_milliseconds():
    assert 2e-4 < calibration_seconds() < 1.0
