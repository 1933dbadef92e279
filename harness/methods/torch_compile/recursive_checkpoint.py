"""Binomial checkpointing, in compiled chunks, PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import at_least_one
from harness.methods.torch_compile._support import AbstractCompiled

if TYPE_CHECKING:
    from harness.methods.torch import _checkpoints
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch_compile._chunks import ChunkedSolve
else:
    (_checkpoints,) = lazily("harness.methods.torch._checkpoints")


@dataclass(frozen=True, kw_only=True)
class RecursiveCheckpoint(AbstractCompiled):
    """As `torch/recursive-checkpoint`, a block being whole chunks, each compiled and its product too.

    Griewank & Walther 2000 (Algorithm 799). Exact; memory O(log N), of a block what AOTAutograd chooses to keep.
    `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/recursive-checkpoint"
    summary = "backpropagation with O(log N) checkpoints, compiled in chunks by torch.compile"
    checkpoints: int | None = None
    """How many states are kept at most, 1 at least; None: ⌈log2 N⌉ + 1. Time grows as the number falls:
    docs/methods/recursive-checkpoint.md has the formula."""
    step_seconds = 1.6e-4

    def __post_init__(self) -> None:
        """Refuse a number below one."""
        at_least_one("checkpoints", self.checkpoints)

    def differentiable(self, solve: ChunkedSolve) -> AbstractDifferentiableSolve:
        """States in Revolve's order."""
        return _checkpoints.by_revolve(solve, self.checkpoints)
