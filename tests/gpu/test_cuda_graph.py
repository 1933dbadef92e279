"""Capturing a gradient: the same numbers as the kernels launched one by one, its memory, and what can't be captured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.measuring.memory import peak_bytes_cuda
from harness.methods.torch._cuda_graph import CapturedGradient, EagerGradient, captured
from harness.methods.torch._solve import TorchSolve

pytestmark = pytest.mark.gpu


def eager(monkeypatch, registry, case):
    """What a method builds where nothing is captured."""
    monkeypatch.setattr(TorchSolve, "ready", lambda _, run: run)
    return build(registry, case)


def build(registry, case):
    method, scheme = registry.methods[case.method], registry.schemes[case.scheme]
    return method.build(registry.problem_of(case), scheme, case, None)


@pytest.mark.parametrize("noise", ["none", "diagonal", "general"])
@pytest.mark.parametrize("brownian", ["own", "tree"])
@pytest.mark.parametrize("approach", ["backprop", "checkpoint", "adjoint", "forward"])
def test_a_captured_gradient_is_the_eager_one(monkeypatch, registry, make_case, approach, brownian, noise):
    if noise == "none" and brownian == "tree":
        brownian = "own"
    case = make_case(
        method=f"torch/{approach}", noise=noise, brownian=brownian, dim=3, batch=5, steps=24, device="cuda"
    )
    graph = build(registry, case)
    assert isinstance(graph, CapturedGradient)
    first = [x.clone() for x in (graph().loss, graph().y0, *graph().theta.values())]
    again = [x.clone() for x in (graph().loss, graph().y0, *graph().theta.values())]
    one_by_one = eager(monkeypatch, registry, case)()
    for x, y, z in zip(first, again, (one_by_one.loss, one_by_one.y0, *one_by_one.theta.values()), strict=True):
        assert torch.equal(x, y)
        torch.testing.assert_close(x, z, rtol=1e-5, atol=1e-6)


def test_the_memory_of_a_graph_is_that_of_its_run(monkeypatch, registry, make_case):
    """A graph holds what an eager run has at its peak, to a tenth: the noise at hand may be freed earlier or later."""
    for approach in ("backprop", "adjoint"):
        case = make_case(method=f"torch/{approach}", dim=32, batch=512, steps=64, device="cuda", brownian="own")
        planned = build(registry, case).planned_bytes()
        with monkeypatch.context() as patch:
            run = eager(patch, registry, case)
            run()
            peak = peak_bytes_cuda(run, "torch")
        assert peak is not None
        assert planned == pytest.approx(peak, rel=0.1)


def test_what_reads_a_number_of_the_device_runs_eagerly_and_says_so(registry, make_case):
    case = make_case(method="torch/backprop", device="cuda", brownian="own")
    run = build(registry, replace(case, steps=8))

    def reads():
        gradient = run.result if isinstance(run, CapturedGradient) else run()
        assert np.isfinite(gradient.loss.item())
        return gradient

    found = captured(reads)
    assert isinstance(found, EagerGradient)
    assert "not a CUDA graph" in found.note
    assert torch.isfinite(found().loss)
