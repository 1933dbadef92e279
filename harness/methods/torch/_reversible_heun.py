"""Reversible Heun's own backward sweep, PyTorch: one evaluation of f and g a step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.arithmetic import axpy
from harness.methods.torch._differentiable import Sweep
from harness.methods.torch._solve import TorchSolve
from harness.methods.torch._vjp import vjp
from harness.scheme import State, increment_of


def reversible_heun(solve: TorchSolve) -> Sweep[State[Tensor]]:
    """Kidger et al. 2021 (arXiv 2105.13493), algorithms 1 and 2; `docs/methods/reversible.md` has the recursion.

    The evaluation of f and g that a reversed step needs serves the vector–Jacobian products of two forward steps too.
    """
    terms = solve.terms

    def forward() -> tuple[list[Tensor], State[Tensor]]:
        ys: list[Tensor] = []
        return ys, solve.observe(solve.init(solve.y0), 0, solve.steps, ys)

    @torch.no_grad()
    def backward(state: State[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        y, z, f, g = state
        del state
        theta = solve.zeros_theta()

        # The last evaluation enters y_N alone.
        y_bar = cotangents[-1]
        dW = increment_of(solve.noise[solve.steps - 1])
        received, dt = 0.5 * y_bar, solve.dt(solve.steps - 1)
        z_bar = evaluate(solve.steps, z, dt * received, terms.noise_cotangent(received, dW), theta)[2]
        for n in reversed(range(solve.steps)):
            dt = solve.dt(n)
            increment1 = terms.product(f, g, dt, dW)
            z = axpy(2, y, -increment1 - z)
            received = axpy(0.5, y_bar, z_bar)  # by f(z_n) dt + g(z_n) dW_n
            g_bar = terms.noise_cotangent(received, dW)
            y_bar = axpy(2, z_bar, y_bar)
            k = solve.observation(n)
            if k is not None:
                y_bar = y_bar + cotangents[k]
            previous, f_bar = None, None
            if n:  # f(z_n) dt_(n−1) + g(z_n) dW_(n−1) receives ½ ȳ_n
                previous = increment_of(solve.noise[n - 1])
                if previous is not None:
                    g_bar = terms.noise_cotangent(y_bar, previous, 0.5, g_bar)
                if solve.dt(n - 1) == dt:
                    received = axpy(0.5, y_bar, received)
                else:
                    f_bar = axpy(0.5 * solve.dt(n - 1), y_bar, dt * received)
            f, g, product = evaluate(n, z, dt * received if f_bar is None else f_bar, g_bar, theta)
            y = axpy(-0.5, increment1 + terms.product(f, g, dt, dW), y)
            z_bar = product - z_bar
            dW = previous
        return y_bar + z_bar, theta

    def evaluate(
        n: int, z: Tensor, f_bar: Tensor, g_bar: Tensor | None, theta: list[Tensor]
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """f, g at grid point n and what z receives through them; `theta` is added to in place."""
        z = z.detach().requires_grad_()
        with torch.enable_grad():
            f, g = terms.f_and_g(solve.time(n), z)
        product, *theta_products = vjp((f, g), [z, *solve.parameters], (f_bar, g_bar))
        torch._foreach_add_(theta, theta_products)
        return f.detach(), None if g is None else g.detach(), product

    return Sweep(solve, forward, backward)
