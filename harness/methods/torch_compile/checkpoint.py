"""Checkpointing in √N segments, in compiled chunks, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import Gradient
from harness.methods.torch_compile._support import AbstractCompiled
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Checkpoint(AbstractCompiled):
    """As `torch/checkpoint`, its segments being whole chunks, each a compiled function and another its product.

    A state is kept every ⌈√N⌉ steps, rounded up to whole chunks. Exact; memory O(√N), of a segment what AOTAutograd
    chooses to keep. `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/checkpoint"
    summary = "backpropagation with a checkpoint every √N steps, compiled in chunks by torch.compile"
    step_seconds = 2e-4

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Run once, which compiles."""
        from harness.methods.torch._checkpoints import gradient_by_segments
        from harness.methods.torch_compile._chunks import ChunkedSolve, compiled

        solve = ChunkedSolve(problem, scheme, case, path)
        return compiled(solve, gradient_by_segments(solve))
