"""Checkpointing in √N segments, PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import whole_observations
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
    step_seconds = 5e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return whole_observations(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        import torch

        from harness.methods.torch._solve import TorchSolve, leaves, vjp

        solve = TorchSolve(problem, scheme, case, path)
        segments = _segments(solve.steps, solve.stride)

        def run() -> Gradient:
            checkpoints, ys = [], []
            with torch.no_grad():
                state = solve.init(solve.y0)
                for start, stop in segments:
                    checkpoints.append(state)
                    state = solve.advance(state, start, stop)
                    if solve.observation(stop) is not None:
                        ys.append(state[0])
            loss, cotangents = solve.loss_cotangents(ys)
            theta = solve.zeros_theta()
            adjoint: list[Any] = [None if x is None else torch.zeros_like(x) for x in state]
            del state
            for start, stop in reversed(segments):
                k = solve.observation(stop)
                if k is not None:
                    adjoint[0] = adjoint[0] + cotangents[k]
                inputs = leaves(checkpoints.pop())
                outputs = solve.advance(inputs, start, stop)
                found = vjp(outputs, [*inputs, *solve.parameters], adjoint)
                adjoint = found[: len(inputs)]
                torch._foreach_add_(theta, found[len(inputs) :])
            found = vjp(solve.init(solve.y0), [solve.y0, *solve.parameters], adjoint)
            torch._foreach_add_(theta, found[1:])
            return solve.gradient(loss, found[0], theta)

        return run


def _segments(steps: int, stride: int) -> list[tuple[int, int]]:
    """Segments of about √steps that end wherever a state is observed."""
    length = math.isqrt(steps - 1) + 1
    return [
        (start, min(start + length, end + stride))
        for end in range(0, steps, stride)
        for start in range(end, end + stride, length)
    ]
