"""Forward sensitivities, PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.methods.torch import _abreast, _solve
else:
    torch, _abreast, _solve = lazily("torch", "harness.methods.torch._abreast", "harness.methods.torch._solve")


class Forward(AbstractGradientMethod):
    """Propagate ∂y/∂θ and ∂y/∂y0 beside the state, and contract them with ∂L/∂y where it is observed.

    Forward-mode differentiation of the discrete solve, some directions at a time: exact, memory O(1) in the steps, time
    in proportion to the number of parameters. Griewank & Walther, "Evaluating Derivatives", 2008, section 3.1.
    """

    name = "torch/forward"
    framework = "torch"
    summary = "forward sensitivities of every parameter: exact in O(1) memory, for few parameters"
    samplers = NATIVE_SAMPLERS
    step_seconds = 9e-3

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        solve = _solve.TorchSolve.of(problem, scheme, case, path)
        abreast = _abreast.Abreast(solve)
        sizes = [p.numel() for p in solve.parameters]
        size = sum(sizes) + problem.dim  # every sample of y0 is moved at once, since samples don't meet in the solve

        def run() -> Gradient:
            ys: list[Tensor] = []
            with torch.no_grad():
                solve.observe(solve.init(solve.y0), 0, solve.steps, ys)
            loss, cotangents = solve.loss_cotangents(ys)
            del ys
            theta, y0 = solve.y0.new_zeros(sum(sizes)), torch.zeros_like(solve.y0)
            for chunk in _abreast.chunks(size, max(size, y0.numel())):
                directions = y0.new_zeros(len(chunk), size)
                directions[:, chunk.start : chunk.stop].fill_diagonal_(1)
                theta_seeds, y0_seeds = _abreast.unflatten(solve, directions)
                slopes = y0.new_zeros(len(chunk), case.batch)  # of each sample's part of the loss
                tangents = abreast.tangents(theta_seeds, y0_seeds[:, None].expand(-1, case.batch, -1))
                for (_, tangent), cotangent in zip(tangents, cotangents, strict=True):
                    slopes += (tangent * cotangent).sum(-1)
                theta += slopes.sum(1) @ directions[:, : sum(sizes)]
                y0 += slopes.T @ y0_seeds
            parts, _ = _abreast.unflatten(solve, theta[None])
            return solve.gradient(loss, y0, [part[0] for part in parts])

        return solve.ready(run)
