"""Binomial checkpointing, PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS, whole_observations
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
        return whole_observations(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        import torch

        from harness.methods._revolve import AT_HAND, BLOCK, default_checkpoints, revolve
        from harness.methods.torch._solve import TorchSolve, no_cotangents

        solve = TorchSolve(problem, scheme, case, path)
        blocks = -(-solve.steps // BLOCK)
        checkpoints = default_checkpoints(solve.steps) if self.checkpoints is None else self.checkpoints
        schedule = revolve(blocks, checkpoints)

        def run() -> Gradient:
            ys = []
            with torch.no_grad():
                state = solve.init(solve.y0)
                checkpoints = [state]
                for start, stop in zip(schedule.stored, [*schedule.stored[1:], blocks - 1], strict=True):
                    state = solve.observe(state, start * BLOCK, stop * BLOCK, ys)
                    if stop < blocks - 1:
                        checkpoints.append(state)
                final = solve.observe(state, (blocks - 1) * BLOCK, solve.steps, ys)
            loss, cotangents = solve.loss_cotangents(ys)
            theta, adjoint = solve.zeros_theta(), no_cotangents(final)
            del final, ys
            for leg in schedule.legs:
                if leg.slot != AT_HAND:
                    del checkpoints[leg.slot + 1 :]
                    state = checkpoints[leg.slot] if leg.store or leg.stop > leg.start else checkpoints.pop()
                with torch.no_grad():
                    state = solve.advance(state, leg.start * BLOCK, leg.stop * BLOCK)
                if leg.store:
                    checkpoints.append(state)
                else:
                    start = leg.stop * BLOCK
                    stop = min(start + BLOCK, solve.steps)
                    adjoint = solve.pull_back(adjoint, theta, state, start, stop, cotangents)
            return solve.gradient(loss, solve.pull_back_init(adjoint, theta), theta)

        return run
