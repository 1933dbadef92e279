"""MALI: the asynchronous leapfrog's exact O(1)-memory gradient, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import not_alf
from harness.methods.torch._method import AbstractTorchMethod
from harness.scheme import AbstractScheme, State

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.methods.torch import _reconstruct, _vjp
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch._reconstruct import Adjoint
    from harness.methods.torch._solve import TorchSolve
else:
    torch, _reconstruct, _vjp = lazily("torch", "harness.methods.torch._reconstruct", "harness.methods.torch._vjp")


class AsynchronousLeapfrog(AbstractTorchMethod):
    """Step the leapfrog back and backpropagate with the very evaluation of f that the step back needs.

    Zhuang et al. 2021 (arXiv 2102.04668), algorithm 4. ODEs only. Exact up to rounding, memory O(1), one evaluation of
    f a step each way.
    """

    name = "torch/alf"
    summary = "asynchronous leapfrog (MALI), reconstructed backwards: exact in O(1) memory, ODEs only"
    default_schemes = ("alf",)
    step_seconds = 1.3e-4

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """The leapfrog only."""
        return not_alf(scheme)

    def differentiable(self, solve: TorchSolve) -> AbstractDifferentiableSolve:
        """Step back, and take one product of f a step."""
        vjp, add = _vjp.vjp, torch._foreach_add_

        def back(n: int, state: State[Tensor], adjoint: Adjoint, theta: list[Tensor]) -> tuple[State[Tensor], Adjoint]:
            (y1, v1), (y_bar, v_bar) = state, adjoint
            half = 0.5 * solve.dt(n)
            v_bar = v_bar + half * y_bar
            y = (y1 - half * v1).requires_grad_()
            f = solve.terms.f(solve.time(n) + half, y)
            product, *theta_products = vjp((f,), [y, *solve.parameters], (2 * v_bar,))
            add(theta, theta_products)
            y_bar = y_bar + product
            v0 = 2 * f.detach() - v1
            return (y.detach() - half * v0, v0), [y_bar, half * y_bar - v_bar]

        return _reconstruct.sweep(solve, back)
