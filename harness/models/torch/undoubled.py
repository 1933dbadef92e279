"""A native method whose steps run without `Double`, where f and g give the same without it, and much faster."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from harness.methods.torch._checkpoints import by_segments
from harness.methods.torch._differentiable import AbstractDifferentiableSolve, Sweep
from harness.methods.torch._method import AbstractTorchMethod
from harness.methods.torch._solve import TorchSolve
from harness.torch._right_hand_side import RightHandSide

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Undoubled(AbstractTorchMethod):
    """Checkpointing, whose memory is that of √N states."""

    name = "torch/checkpoint"
    summary = "checkpointing without a dispatch mode"

    def differentiable(self, solve: TorchSolve) -> AbstractDifferentiableSolve:
        """The same sweep, both ways outside of all modes."""
        sweep = by_segments(solve)
        assert isinstance(sweep, Sweep)
        return replace(sweep, forward=_outside(sweep.forward), backward=_outside(sweep.backward))


def _outside(function: Callable[P, R]) -> Callable[P, R]:
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with outside_modes():
            return function(*args, **kwargs)

    return call


@contextmanager
def outside_modes() -> Generator[None, None, None]:
    """No dispatch mode, and float64 for tensors that name no precision."""
    before = torch.get_default_dtype()
    with _disable_current_modes():
        torch.set_default_dtype(torch.float64)
        try:
            yield
        finally:
            torch.set_default_dtype(before)


def same_without(side: RightHandSide, t: Tensor, y: Tensor) -> bool:
    """Whether f and g give the same numbers in float64 without the mode that is in force."""
    functions = [function for function in (side.f, side.g) if function is not None]
    with torch.no_grad():
        within = [function(t, y) for function in functions]
        try:
            with outside_modes():
                without = [function(t, y) for function in functions]
        except RuntimeError:  # it mixes precisions
            return False
    return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(within, without, strict=True))
