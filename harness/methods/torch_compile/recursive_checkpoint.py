"""Binomial checkpointing, in compiled chunks, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.methods.torch_compile._support import AbstractCompiled

if TYPE_CHECKING:
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch_compile._chunks import ChunkedSolve


class RecursiveCheckpoint(AbstractCompiled):
    """As `torch/recursive-checkpoint`, a block being whole chunks, each compiled and its product too.

    Griewank & Walther 2000 (Algorithm 799). Exact; memory O(log N), of a block what AOTAutograd chooses to keep.
    `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/recursive-checkpoint"
    summary = "backpropagation with O(log N) checkpoints, compiled in chunks by torch.compile"
    checkpoints: ClassVar[int | None] = None
    """As `torch/recursive-checkpoint`'s."""
    step_seconds = 2e-4

    def differentiable(self, solve: ChunkedSolve) -> AbstractDifferentiableSolve:
        """States in Revolve's order."""
        from harness.methods.torch._checkpoints import by_revolve

        return by_revolve(solve, self.checkpoints)
