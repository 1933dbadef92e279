"""Products in TF32: asked of the frameworks, and their rounding, imitated on the processor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import pytest
import torch
from gradients import distance, gradient
from torch.utils._python_dispatch import TorchDispatchMode

from harness.errors import ProblemError
from harness.measuring.framework import FRAMEWORKS
from harness.report.answer.contest import ROUNDING

BITS = 10
"""Of the 23 bits of a float32's fraction, those that TF32 has (NVIDIA A100 Tensor Core GPU Architecture, 2020)."""
AFTER_BIAS = {torch.ops.aten.addmm.default, torch.ops.aten.baddbmm.default}
PRODUCTS_IN = "jax_default_matmul_precision"
PRODUCTS = {torch.ops.aten.mm.default, torch.ops.aten.bmm.default, *AFTER_BIAS}


def in_tf32(x: torch.Tensor) -> torch.Tensor:
    """Rounded to the nearest, ties to even."""
    bits, cut = x.detach().contiguous().view(torch.int32), 23 - BITS
    return (bits + (1 << (cut - 1)) - 1 + ((bits >> cut) & 1) >> cut << cut).view(torch.float32)


class Tf32(TorchDispatchMode):
    """Every matrix product of PyTorch with its factors rounded, and the sum in float32, as a tensor core does it."""

    rounded = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Round the factors of a product of float32."""
        if func in PRODUCTS and args[0].dtype == torch.float32:
            self.rounded += 1
            bias = int(func in AFTER_BIAS)
            args = (*args[:bias], *(in_tf32(factor) for factor in args[bias:]))
        return func(*args, **(kwargs or {}))


@pytest.fixture
def settings() -> Iterator[None]:
    """What a case sets is set back."""
    before = torch.get_float32_matmul_precision(), torch.get_num_threads(), jax.config.read("jax_enable_x64")
    products = getattr(jax.config, PRODUCTS_IN)
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.set_num_threads(before[1])
    jax.config.update("jax_enable_x64", before[2])
    jax.config.update(PRODUCTS_IN, products)


@pytest.mark.usefixtures("settings")
def test_the_frameworks_are_asked_for_what_the_case_says(make_case, monkeypatch):
    monkeypatch.setenv("NPROC", "1")
    full = make_case(dtype="float32", device="cuda")
    for case, of_torch, of_jax in (
        (full, "highest", "float32"),
        (replace(full, matmul="tf32"), "high", "tensorfloat32"),
    ):
        FRAMEWORKS["torch"].configure(case)
        FRAMEWORKS["jax"].configure(case)
        assert torch.get_float32_matmul_precision() == of_torch
        assert getattr(jax.config, PRODUCTS_IN) == of_jax


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_device_without_tf32_is_refused(make_case, monkeypatch, framework):
    """It would multiply in full precision, and the record would say that it didn't."""
    full = make_case(dtype="float32", device="cuda")
    asked, refused = replace(full, matmul="tf32"), FRAMEWORKS[framework]
    for capability, words in ((None, "the device has none"), (7.5, "needs compute capability 8.0, the device has 7.5")):
        monkeypatch.setattr(type(refused), "capability", lambda _, found=capability: found)
        refused.check_products(full)
        with pytest.raises(ProblemError, match=words):
            refused.check_products(asked)
    monkeypatch.setattr(type(refused), "capability", lambda _: 9.0)
    refused.check_products(asked)


def test_tf32_has_ten_bits():
    for given, rounded in ((1 + 2**-10, 1 + 2**-10), (1 + 2**-12, 1), (1 + 2**-11, 1), (1 + 3 * 2**-11, 1 + 2**-9)):
        assert float(in_tf32(torch.tensor(given))) == rounded
    assert float(in_tf32(-torch.tensor(3.0e-20))) == pytest.approx(-3.0e-20, rel=2**-11)


@pytest.mark.parametrize("method", ["torch/backprop", "torch/checkpoint", "torch/recursive-checkpoint"])
def test_the_rounding_of_tf32_is_told_from_a_bias(registry, make_case, method):
    """Of an exact method's gradient some 1e-4 is lost: more than a float32 counts as rounding, and far less than is
    counted as such in TF32."""
    axes = {"method": method, "problem": "neural(width=32)", "dim": 8, "batch": 16, "steps": 64}
    exact = gradient(registry, make_case(**axes))
    with Tf32() as mode:
        found = gradient(registry, make_case(**axes, dtype="float32"))
    assert mode.rounded > 0
    assert ROUNDING["float32"] < distance(found, exact) < 0.1 * ROUNDING["tf32"]


def test_a_case_s_name_tells_its_products(make_case):
    case = make_case(dtype="float32", device="cuda")
    tf32 = replace(case, matmul="tf32")
    assert (case.precision, tf32.precision) == ("float32", "tf32")
    assert tf32.setting == f"{case.setting}, tf32"
    assert len({case.id, tf32.id, case.block_id, tf32.block_id}) == 4
