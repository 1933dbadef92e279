"""Central finite differences, PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import DIFFERENCE, NATIVE_SAMPLERS, single_precision
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from torch import Tensor

    from harness.methods.torch import _abreast, _solve
else:
    torch, _abreast, _solve = lazily("torch", "harness.methods.torch._abreast", "harness.methods.torch._solve")


class FiniteDifferences(AbstractGradientMethod):
    """(L(x + ε) − L(x − ε)) / 2ε for every entry x of θ and of y0, on the same noise: the check of all others.

    It needs no derivative of anything. Error O(ε²) and rounding O(u / ε), which balance at ε = u^⅓ (Nocedal & Wright,
    "Numerical Optimization", 2006, section 8.1). Memory O(1), time two solves an entry.
    """

    name = "torch/finite-differences"
    framework = "torch"
    summary = "central differences on the same noise, two solves a parameter: a check, float64 only"
    samplers = NATIVE_SAMPLERS
    exact = False
    step_seconds = 2.2e-2

    def unsupported(self, case: Case) -> str | None:
        """Every scheme, in float64."""
        return single_precision(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        solve = _solve.TorchSolve.of(problem, scheme, case, path)
        abreast = _abreast.Abreast(solve)
        point = torch.cat([x.detach().flatten() for x in (*solve.parameters, solve.y0)])
        steps = DIFFERENCE * point.abs().clamp(min=1)

        def losses(points: Float[Tensor, "points entries"]) -> Float[Tensor, " points"]:
            """L at each row of `points`."""
            theta, y0 = _abreast.unflatten(solve, points)
            ys = torch.stack(list(abreast.states(theta, y0.reshape(-1, *solve.y0.shape))), 1)
            return torch.stack([problem.loss(torch, y) for y in ys])

        def run() -> Gradient:
            slopes = torch.empty_like(point)
            for chunk in _abreast.chunks(len(point), 2 * len(point)):
                moved = torch.arange(chunk.start, chunk.stop, device=point.device)
                up, down = point.repeat(2, len(chunk), 1)
                rows = moved - chunk.start
                up[rows, moved] += steps[moved]
                down[rows, moved] -= steps[moved]
                # What was added and taken away, not what was to be: x + ε is rounded.
                widths = up[rows, moved] - down[rows, moved]
                above, below = losses(torch.cat([up, down])).chunk(2)
                slopes[moved] = (above - below) / widths
            theta, y0 = _abreast.unflatten(solve, slopes[None])
            (loss,) = losses(point[None])
            return solve.gradient(loss, y0.reshape(solve.y0.shape), [part[0] for part in theta])

        return solve.ready(run)
