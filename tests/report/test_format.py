"""Numbers as people read them."""

from __future__ import annotations

import pytest

from harness.report.format import NOTHING, ratio, seconds, size


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.5, "1234 s"), (1.0, "1 s"), (0.9996, "1000 ms"), (0.0123, "12.3 ms"), (4.5e-7, "0.45 µs"), (None, NOTHING)],
)
def test_seconds(value, expected):
    assert seconds(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1020 * 2**10, "1020 KiB"), (2**20, "1 MiB"), (2**43, "8192 GiB"), (1536, "1.5 KiB"), (7, "7 B")],
)
def test_size(value, expected):
    assert size(value) == expected


def test_ratio():
    assert [ratio(x) for x in (0.98765, 12.345, 1234.5, float("nan"))] == ["0.988×", "12.3×", "1234×", NOTHING]
