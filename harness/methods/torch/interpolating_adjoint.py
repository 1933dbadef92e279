"""The adjoint equation on the stored forward path, PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._interpolate import reads_between, scheme_on_path, state_on_path
from harness.methods.torch._method import AbstractTorchMethod

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.methods.torch import _adjoint, _differentiable
    from harness.methods.torch._solve import TorchSolve
else:
    torch, _adjoint, _differentiable = lazily(
        "torch",
        "harness.methods.torch._adjoint",
        "harness.methods.torch._differentiable",
    )


class InterpolatingAdjoint(AbstractTorchMethod):
    """Optimise, then discretise, on the stored path: a alone is solved backwards, y is the forward solution's.

    The equations are those of `torch/adjoint` (Li et al. 2020, theorem 2.1). The state at every grid point is kept. An
    SDE's adjoint is solved by Heun's scheme, whose stages lie on the grid; an ODE's by the forward scheme where that is
    a Runge–Kutta scheme, with cubic Hermite interpolation between grid points (SciMLSensitivity's InterpolatingAdjoint;
    Ma et al., "A comparison of automatic differentiation and continuous sensitivity analysis for derivatives of
    differential equation solutions", 2021, arXiv 1812.01892). Memory O(N); biased, but stable where the forward solve
    is.
    """

    name = "torch/interpolating-adjoint"
    summary = "continuous adjoint, solved backwards on the stored forward path"
    exact = False
    step_seconds = 4e-4

    def differentiable(self, solve: TorchSolve) -> _differentiable.AbstractDifferentiableSolve:
        """The adjoint equation backwards, along the states that were kept."""
        tableau = scheme_on_path(solve.scheme, solve.problem)
        step = _adjoint.AdjointStep(solve, tableau)
        between = reads_between(tableau)

        def forward() -> tuple[list[Tensor], list[Tensor]]:
            state = solve.init(solve.y0)
            path = [state[0]]
            for n in range(solve.steps):
                state = solve.step(n, state)
                path.append(state[0])
            return [path[n] for n in solve.grid.observed], path

        @torch.no_grad()
        def backward(path: list[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            theta, a = solve.zeros_theta(), torch.zeros_like(solve.y0)
            for n in reversed(range(solve.steps)):
                k = solve.observation(n + 1)
                if k is not None:
                    a = a + cotangents[k]
                y1, y0 = path.pop(), path[-1]
                a, _ = step(n, a, theta, reader(n, y0, y1))
            return a, theta

        def reader(n: int, y0: Tensor, y1: Tensor) -> Callable[[int, list[Tensor]], Tensor]:
            """y at a stage of the step from time n + 1 to time n."""
            k0 = step.terms.increment(solve.time(n), y0, solve.dt(n), None) if between else None
            return lambda i, increments: state_on_path(tableau.c[i], y0, y1, k0, increments)

        return _differentiable.Sweep(solve, forward, backward)
