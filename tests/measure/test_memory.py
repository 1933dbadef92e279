"""Peak memory: exact where the truth is known, for both frameworks."""

from __future__ import annotations

import numpy as np
import pytest

from harness.measure.memory import peak_bytes_cpu


@pytest.mark.parametrize("mebibytes", [1, 52])
def test_numpy_allocations_are_counted_to_within_a_page(mebibytes):
    size = mebibytes * 2**20
    peak = peak_bytes_cpu(lambda: np.ones(size, dtype=np.uint8))
    assert 0 <= peak - size < 64 * 1024


def test_torch_is_counted_even_where_pages_are_reused():
    import torch

    def run():
        return torch.ones(2**20).mul_(2).sum()

    run()
    assert 0 <= peak_bytes_cpu(run) - 4 * 2**20 < 64 * 1024


def test_what_is_freed_first_is_not_added():
    def run():
        for _ in range(4):
            np.ones(2**20, dtype=np.uint8)

    assert peak_bytes_cpu(run) < 1.5 * 2**20


@pytest.mark.parametrize(
    ("method", "low", "high"),
    [
        ("torch/reversible", -0.02, 0.02),
        ("jax/reversible", -0.02, 0.02),
        ("torch/adjoint", -0.02, 0.02),
        ("jax/adjoint", -0.02, 0.02),
        ("torch/backprop", 0.97, 1.03),
        ("jax/backprop", 0.97, 1.03),
        ("torch/checkpoint", 0.45, 0.55),
    ],
)
def test_memory_slopes(make_case, method, low, high):
    """Up to 4096 steps, each measured in a child of its own, as a run measures it.

    From 64 steps where memory is to be flat; from 512 where it grows, since buffers that don't (the noise of some
    steps, temporaries, gradients of parameters) outweigh the states of a short solve.
    """
    from harness.measure.statistics import log_slope
    from harness.runner.child import CaseTarget
    from harness.runner.worker import Worker, start_server

    steps, peaks = [64 if high < 0.1 else 512, 1024, 4096], []
    for n in steps:
        scheme = "heun" if method.endswith("adjoint") else "reversible-heun"
        case = make_case(method=method, scheme=scheme, steps=n, brownian="own", dtype="float32", dim=10, batch=64)
        worker = Worker(start_server(), CaseTarget, case, (), 0, timeout=300.0, memory=8 * 2**30)
        try:
            worker.call("build", 0)
            peaks.append(worker.call("memory")[0])
        finally:
            worker.close()
    assert low <= log_slope(steps, peaks) <= high, peaks
