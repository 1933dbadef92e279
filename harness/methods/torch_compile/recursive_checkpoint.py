"""Binomial checkpointing, in compiled chunks, PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods.torch_compile._support import refusal
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class RecursiveCheckpoint(AbstractGradientMethod):
    """As `torch/recursive-checkpoint`, a block being a chunk: a compiled function, and another its product.

    Griewank & Walther 2000 (Algorithm 799). Exact; memory O(log N), of a chunk what AOTAutograd chooses to keep.
    `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/recursive-checkpoint"
    framework = "torch"
    summary = "backpropagation with O(log N) checkpoints, compiled in chunks by torch.compile"
    checkpoints: ClassVar[int | None] = None
    """As `torch/recursive-checkpoint`'s."""
    step_seconds = 2e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme, where there is a C++ compiler."""
        return refusal(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Run once, which compiles."""
        from harness.methods.torch._checkpoints import gradient_by_revolve
        from harness.methods.torch_compile._chunks import ChunkedSolve, compiled

        return compiled(gradient_by_revolve(ChunkedSolve(problem, scheme, case, path), self.checkpoints))
