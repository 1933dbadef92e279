"""Checkpointing in √N segments, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Checkpoint(AbstractGradientMethod):
    """Keep the state at the start of each of about √N segments, recompute a segment when its gradient is due.

    Exact; memory O(√N); one more forward solve. Chen, Xu, Zhang & Guestrin, "Training deep nets with sublinear
    memory cost", 2016 (arXiv 1604.06174), section 4.
    """

    name = "torch/checkpoint"
    framework = "torch"
    summary = "backpropagation with a checkpoint every √N steps"
    samplers = NATIVE_SAMPLERS
    step_seconds = 5e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        from harness.methods.torch._checkpoints import gradient_by_segments
        from harness.methods.torch._solve import TorchSolve

        solve = TorchSolve(problem, scheme, case, path)
        return solve.ready(gradient_by_segments(solve))
