"""Binomial checkpointing, in compiled chunks, PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import Gradient
from harness.methods.torch_compile._support import AbstractCompiled
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


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

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Run once, which compiles."""
        from harness.methods.torch._checkpoints import gradient_by_revolve
        from harness.methods.torch_compile._chunks import ChunkedSolve, compiled

        solve = ChunkedSolve(problem, scheme, case, path)
        return compiled(solve, gradient_by_revolve(solve, self.checkpoints))
