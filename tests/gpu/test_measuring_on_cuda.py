"""Time and memory on a GPU, against figures that are known."""

from __future__ import annotations

import time

import pytest
import torch

from harness.measuring.framework import FRAMEWORKS
from harness.measuring.memory import in_use_cuda, peak_bytes_cuda
from harness.method import Gradient

pytestmark = pytest.mark.gpu


def test_the_peak_is_that_of_the_allocator():
    """Three arrays of 64 MiB, two of them at once."""

    def run() -> None:
        first = torch.empty(2**24, device="cuda")
        del first
        kept = [torch.empty(2**24, device="cuda") for _ in range(2)]
        del kept

    run()
    assert peak_bytes_cuda(run, "torch") == 2 * 2**26


def test_what_is_kept_is_counted():
    before = in_use_cuda("torch")
    kept = torch.empty(2**24, device="cuda")
    after = in_use_cuda("torch")
    assert before is not None
    assert after is not None
    assert after - before == kept.numel() * 4


def test_waiting_waits_for_the_device():
    """As long as the device's own clock says that its work took."""
    a = torch.randn(8192, 8192, device="cuda")
    b = a @ a
    torch.cuda.synchronize()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start = time.perf_counter()
    begin.record()
    for _ in range(5):
        b = a @ a
    end.record()
    FRAMEWORKS["torch"].wait(Gradient(b[0, 0], {}, b))
    waited = time.perf_counter() - start
    assert end.query()
    assert waited >= 0.95 * begin.elapsed_time(end) / 1e3
