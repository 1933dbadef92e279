"""The product that goes straight to autograd's engine: as `torch.autograd.grad`'s, unused inputs and None included."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from harness.methods.torch._vjp import vjp


@pytest.fixture
def graph():
    """y, W, an input that nothing reads; tanh(y W), y², an output without a graph; cotangents of the former two."""
    generator = torch.Generator().manual_seed(0)
    y, w, unused = (
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in ((5, 3), (3, 4), (2,))
    )
    outputs = (torch.tanh(y @ w), y * y, torch.ones(3, dtype=torch.float64))
    cotangents = tuple(torch.randn(x.shape, generator=generator, dtype=torch.float64) for x in outputs)
    return (y, w, unused), outputs, cotangents


def test_it_is_what_autograd_gives(graph):
    inputs, outputs, cotangents = graph
    expected = torch.autograd.grad(
        outputs[:2], inputs, cotangents[:2], retain_graph=True, allow_unused=True, materialize_grads=True
    )
    found = vjp(outputs, inputs, cotangents)
    assert all(torch.equal(x, y) for x, y in zip(found, expected, strict=True))


def test_none_stays_none_and_keeps_its_place(graph):
    (y, w, _), outputs, cotangents = graph
    inputs: list[Any] = [None, y, w]
    found = vjp((None, outputs[1]), inputs, (cotangents[0], cotangents[1]))
    assert found[0] is None
    assert torch.equal(found[1], 2 * y * cotangents[1])
    assert torch.equal(found[2], torch.zeros_like(w))


def test_without_an_output_to_pull_back_all_is_zero(graph):
    (y, w, _), outputs, cotangents = graph
    inputs: list[Any] = [y, None, w]
    found = vjp((outputs[2], outputs[0]), inputs, (cotangents[2], None))
    assert torch.equal(found[0], torch.zeros_like(y))
    assert found[1] is None
    assert torch.equal(found[2], torch.zeros_like(w))


def test_a_cotangent_of_another_shape_is_refused(graph):
    (y, _, _), outputs, _ = graph
    with pytest.raises(RuntimeError, match="shape"):
        vjp((outputs[1],), (y,), (torch.ones(7, dtype=torch.float64),))


def test_nothing_is_left_in_the_leaves(graph):
    inputs, outputs, cotangents = graph
    vjp(outputs, inputs, cotangents)
    assert all(x.grad is None for x in inputs)
