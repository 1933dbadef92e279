"""Forward sensitivities, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Forward(AbstractGradientMethod):
    """Propagate ∂y/∂θ and ∂y/∂y0 beside the state, and contract them with ∂L/∂y where it is observed.

    Forward-mode differentiation of the discrete solve, some directions at a time: exact, memory O(1) in the steps, time
    in proportion to the number of parameters. Griewank & Walther, "Evaluating Derivatives", 2008, section 3.1.
    """

    name = "torch/forward"
    framework = "torch"
    summary = "forward sensitivities of every parameter: exact in O(1) memory, for few parameters"
    samplers = NATIVE_SAMPLERS
    step_seconds = 2e-2

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        import torch

        from harness.methods.torch._abreast import Abreast, chunks, unflatten
        from harness.methods.torch._solve import TorchSolve

        solve = TorchSolve.of(problem, scheme, case, path)
        abreast = Abreast(solve)
        sizes = [p.numel() for p in solve.parameters]
        size = sum(sizes) + problem.dim  # every sample of y0 is moved at once, since samples don't meet in the solve

        def run() -> Gradient:
            ys = []
            with torch.no_grad():
                solve.observe(solve.init(solve.y0), 0, solve.steps, ys)
            loss, cotangents = solve.loss_cotangents(ys)
            del ys
            theta, y0 = solve.y0.new_zeros(sum(sizes)), torch.zeros_like(solve.y0)
            for chunk in chunks(size, max(size, y0.numel())):
                directions = y0.new_zeros(len(chunk), size)
                directions[:, chunk.start : chunk.stop].fill_diagonal_(1)
                theta_seeds, y0_seeds = unflatten(solve, directions)
                slopes = y0.new_zeros(len(chunk), case.batch)  # of each sample's part of the loss
                tangents = abreast.tangents(theta_seeds, y0_seeds[:, None].expand(-1, case.batch, -1))
                for (_, tangent), cotangent in zip(tangents, cotangents, strict=True):
                    slopes += (tangent * cotangent).sum(-1)
                theta += slopes.sum(1) @ directions[:, : sum(sizes)]
                y0 += slopes.T @ y0_seeds
            parts, _ = unflatten(solve, theta[None])
            return solve.gradient(loss, y0, [part[0] for part in parts])

        return solve.ready(run)
