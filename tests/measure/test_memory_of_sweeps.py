"""Memory of the methods that store no states is flat in the steps."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("method", "problem", "noise", "scheme"),
    [
        (f"{framework}/{approach}", problem, noise, scheme)
        for framework in ("torch", "jax")
        for approach, problem, noise, scheme in (
            ("reversible", "neural", "diagonal", "coupled-heun"),
            ("ees", "neural", "diagonal", "ees25"),
            ("alf", "neural", "none", "alf"),
            ("forward", "neural(width=4)", "diagonal", "heun"),
        )
    ],
)
def test_memory_is_flat(make_case, method, problem, noise, scheme):
    """Within 2 % from 64 to 1024 steps, each measured in a child of its own, as a run measures it."""
    from harness.runner.child import CaseTarget
    from harness.runner.worker import Worker, start_server

    axes = {"method": method, "problem": problem, "noise": noise, "scheme": scheme, "dim": 4, "batch": 64}
    peaks = []
    for steps in (64, 1024):
        case = make_case(**axes, steps=steps, brownian="own", dtype="float32")
        worker = Worker(start_server(), CaseTarget, case, (), 0, timeout=300.0, memory=8 * 2**30)
        try:
            worker.call("build", 0)
            peaks.append(worker.call("memory")[0])
        finally:
            worker.close()
    assert abs(peaks[1] / peaks[0] - 1) <= 0.02, peaks
