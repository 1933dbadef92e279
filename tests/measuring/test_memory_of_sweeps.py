"""Memory of the methods that store no states is flat in the steps."""

from __future__ import annotations

import pytest
from children import Child, child


@pytest.mark.parametrize(
    ("method", "problem", "noise", "scheme", "batch", "most_steps"),
    [
        (f"{framework}/{approach}", *axes)
        for framework in ("torch", "jax")
        for approach, *axes in (
            ("reversible", "neural", "diagonal", "coupled-heun", 256, 64),
            ("reversible", "neural", "none", "reversible-heun", 4096, 64),  # wide products
            ("ees", "neural", "diagonal", "ees25", 256, 64),
            ("alf", "neural", "none", "alf", 1024, 64),
            ("forward", "neural(width=16)", "none", "euler", 256, 32),
            ("forward-gradient", "neural", "none", "euler", 256, 32),
        )
    ],
)
def test_memory_is_flat(make_case, method, problem, noise, scheme, batch, most_steps):
    """Within 2 %, each measured in a child of its own, as a run measures it.

    The lesser of two runs counts: one of them was seen to hold 1 MiB more, the size of an arena of Python's own
    allocator. The batch is such that what else Python allocates, 10 to 30 kB and not always, is less than 2 %. One
    state more a step would be 0.2 MB or more over 48 steps, a third of the peak or more; one tangent of a chunk of
    directions, which is slow, 4 MB over 16, more than the peak itself.
    """
    axes = {"method": method, "problem": problem, "noise": noise, "scheme": scheme, "dim": 4, "batch": batch}
    peaks = []
    for steps in (16, most_steps):
        case = make_case(**axes, steps=steps, brownian="own", dtype="float32")
        with child(case) as worker:
            peaks.append(min(worker.call(Child.peak) for _ in range(2)))
    assert abs(peaks[1] / peaks[0] - 1) <= 0.02, peaks
