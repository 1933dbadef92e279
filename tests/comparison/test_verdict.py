"""A change is real where its whole interval lies beyond the threshold."""

from __future__ import annotations

import math

import pytest

from harness.comparison.verdict import verdict


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.2, 1.3, "worse"),
        (1.06, math.inf, "worse"),
        (1.04, 1.3, "unclear"),
        (0.97, 1.04, "same"),
        (1.0, 1.0, "same"),
        (0.9, 1.2, "unclear"),
        (0.5, 0.94, "better"),
        (0.0, 0.0, "better"),
        (0.5, 0.96, "unclear"),
        (math.nan, math.nan, "unclear"),
    ],
)
def test_an_interval_has_one_verdict(low, high, expected):
    assert verdict(low, high, 0.05) == expected


def test_up_and_down_are_judged_alike():
    """Twice as slow and half as slow are changes of one size."""
    for low, high in ((1.1, 1.3), (1.01, 1.2), (0.99, 1.03)):
        turned = {"worse": "better", "better": "worse"}
        there, back = verdict(low, high, 0.05), verdict(1 / high, 1 / low, 0.05)
        assert turned.get(there, there) == back
