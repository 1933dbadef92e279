"""The stochastic adjoint, PyTorch."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.arithmetic import combine, minus
from harness.lazy import lazily
from harness.methods._backward import backward_scheme
from harness.methods.torch._method import AbstractTorchMethod
from harness.schemes._runge_kutta import with_weights_times

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.methods.torch import _adaptive, _adjoint, _differentiable
    from harness.methods.torch._solve import TorchSolve
else:
    torch, _adaptive, _adjoint, _differentiable = lazily(
        "torch",
        "harness.methods.torch._adaptive",
        "harness.methods.torch._adjoint",
        "harness.methods.torch._differentiable",
    )


class Adjoint(AbstractTorchMethod):
    """Optimise, then discretise: solve the adjoint SDE backwards beside the state, on the same Brownian path.

    da = −aᵀ ∂f/∂y dt − Σ_i aᵀ ∂g_i/∂y ∘ dW_i and ∂L/∂θ = ∫ aᵀ ∂f/∂θ dt + Σ_i aᵀ ∂g_i/∂θ ∘ dW_i, in Stratonovich form
    (Li et al. 2020, theorem 2.1 and algorithm 1; for ODEs Chen et al. 2018, section 2). An Itô problem is solved
    forwards by its own scheme and backwards through the corrected drift. The backward scheme is the forward one where
    that is a Runge–Kutta scheme for Stratonovich SDEs or ODEs, else Heun's. The state is reset to the forward solution
    at every observation. Memory O(1); the gradient is biased, and the bias falls with the step.
    """

    name = "torch/adjoint"
    summary = "continuous (stochastic) adjoint, solved backwards on the same path"
    steppings = ("fixed", "adaptive")
    exact = False
    step_seconds = 4e-4

    def differentiable(self, solve: TorchSolve) -> _differentiable.AbstractDifferentiableSolve:
        """The adjoint equation backwards, the state beside it."""
        tableau, unit = backward_scheme(solve.scheme, solve.problem), None
        if solve.problem.noise == "none" and solve.grid.equal_step is not None:
            tableau, unit = with_weights_times(tableau, solve.grid.equal_step), 1
        step = _adjoint.AdjointStep(solve, tableau, unit)
        back, back_to = minus(tableau.b), [minus(row) for row in tableau.a]

        def forward() -> tuple[list[Tensor], list[Tensor]]:
            ys: list[Tensor] = []
            solve.observe(solve.init(solve.y0), 0, solve.steps, ys)
            return ys, ys

        @torch.no_grad()
        def backward(ys: list[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            theta = solve.zeros_theta()
            y, a = ys[-1], torch.zeros_like(solve.y0)
            for n in reversed(range(solve.steps)):
                k = solve.observation(n + 1)
                if k is not None:
                    y, a = ys[k], a + cotangents[k]
                a, increments = step(n, a, theta, functools.partial(stage, y))
                y = combine(back, increments, y)
            return a, theta

        def stage(y: Tensor, i: int, increments: list[Tensor]) -> Tensor:
            return combine(back_to[i], increments, y)

        return _differentiable.Sweep(solve, forward, backward)

    def with_adaptive_steps(self, solve: TorchSolve) -> _differentiable.AbstractDifferentiableSolve:
        """Both solves with steps of their own."""
        return _adaptive.adjoint(solve)
