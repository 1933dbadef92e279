"""Which workers may measure at the same time."""

from __future__ import annotations

import pytest
from clusters import worker

from harness.cluster.rules import notes, places

SHARED = {"BLOCK": 1.0, "SHARED": 1.0}


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ([worker("a"), worker("b")], ["a", "b"]),
        ([worker("a", "m"), worker("b", "m"), worker("c")], ["a b", "c"]),
        ([worker("a", "m", resources=SHARED), worker("b", "m", resources=SHARED)], ["a shared", "b shared"]),
        ([worker("a", "m", resources=SHARED), worker("b", "m")], ["a b"]),  # b would be disturbed and wouldn't say so
        ([worker("a", resources=SHARED)], ["a shared"]),  # another may join while it measures
    ],
)
def test_a_machine_is_a_place_unless_all_its_workers_share_it(workers, expected):
    found = places(workers)
    told = [" ".join([*(one.name for one in place.workers), *(["shared"] if place.shared else [])]) for place in found]
    assert told == expected
    assert len(list(notes(found))) == sum(" " in one for one in expected)
