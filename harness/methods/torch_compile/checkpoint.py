"""Checkpointing in √N segments, in compiled chunks, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods.torch_compile._support import AbstractCompiled

if TYPE_CHECKING:
    from harness.methods.torch import _checkpoints
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch_compile._chunks import ChunkedSolve
else:
    (_checkpoints,) = lazily("harness.methods.torch._checkpoints")


class Checkpoint(AbstractCompiled):
    """As `torch/checkpoint`, its segments being whole chunks, each a compiled function and another its product.

    A state is kept every ⌈√N⌉ steps, rounded up to whole chunks. Exact; memory O(√N), of a segment what AOTAutograd
    chooses to keep. `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/checkpoint"
    summary = "backpropagation with a checkpoint every √N steps, compiled in chunks by torch.compile"
    step_seconds = 1.6e-4

    def differentiable(self, solve: ChunkedSolve) -> AbstractDifferentiableSolve:
        """A state every ⌈√N⌉ steps."""
        return _checkpoints.by_segments(solve)
