"""Binomial checkpointing, PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class RecursiveCheckpoint(AbstractGradientMethod):
    """Keep a given number of states at most, ⌈log2 N⌉ + 1 unless told, and recompute the others in Revolve's order.

    Griewank & Walther 2000 (Algorithm 799); `harness/methods/_revolve.py` has the schedule, whose unit is a block of
    steps with one graph, since a call of autograd.grad costs more than a step. Exact; memory O(log N); O(N log N)
    evaluations.
    """

    name = "torch/recursive-checkpoint"
    framework = "torch"
    summary = "backpropagation with O(log N) checkpoints, binomial (Revolve)"
    samplers = NATIVE_SAMPLERS
    checkpoints: ClassVar[int | None] = None
    """How many states are kept at most; a plugin that derives a class with another name may set a number, 1 at least.

    Time grows as the number falls: docs/methods/recursive-checkpoint.md has the formula.
    """
    step_seconds = 7e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        from harness.methods.torch._checkpoints import gradient_by_revolve
        from harness.methods.torch._solve import TorchSolve

        solve = TorchSolve(problem, scheme, case, path)
        return solve.ready(gradient_by_revolve(solve, self.checkpoints))
