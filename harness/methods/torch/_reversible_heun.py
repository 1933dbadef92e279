"""Reversible Heun's own backward sweep, PyTorch: one evaluation of f and g a step."""

from __future__ import annotations

from collections.abc import Callable

import torch

from harness.arithmetic import axpy
from harness.method import Gradient
from harness.methods.torch._solve import TorchSolve
from harness.methods.torch._vjp import vjp


def reversible_heun_gradient(solve: TorchSolve) -> Callable[[], Gradient]:
    """Kidger et al. 2021 (arXiv 2105.13493), algorithms 1 and 2; `docs/methods/reversible.md` has the recursion.

    The evaluation of f and g that a reversed step needs serves the vector–Jacobian products of two forward steps too.
    """
    terms, dt = solve.terms, solve.dt

    @torch.no_grad()
    def run() -> Gradient:
        ys = []
        state = solve.init(solve.y0)
        for n in range(0, solve.steps, solve.stride):
            state = solve.advance(state, n, n + solve.stride)
            ys.append(state[0])
        loss, cotangents = solve.loss_cotangents(ys)
        y, z, f, g = state
        del state, ys
        theta = solve.zeros_theta()

        # The last evaluation enters y_N alone.
        y_bar = cotangents[-1]
        dW = solve.noise[solve.steps - 1]
        z_bar = evaluate(solve.steps, z, 0.5 * y_bar, dW, None, None, theta)[2]
        for n in reversed(range(solve.steps)):
            increment1 = terms.product(f, g, dt, dW)
            z = axpy(2, y, -increment1 - z)
            next_bar = axpy(0.5, y_bar, z_bar)  # what f(z_n) dt + g(z_n) dW_n receives
            y_bar = axpy(2, z_bar, y_bar)
            k = solve.observation(n)
            if k is not None:
                y_bar = y_bar + cotangents[k]
            previous = solve.noise[n - 1] if n else None
            f, g, product = evaluate(n, z, next_bar, dW, y_bar if n else None, previous, theta)
            y = axpy(-0.5, increment1 + terms.product(f, g, dt, dW), y)
            z_bar = product - z_bar
            dW = previous
        return solve.gradient(loss, y_bar + z_bar, theta)

    def evaluate(n, z, next_bar, dW, y_bar, previous, theta):
        """f, g at grid point n and what z receives through them; `theta` is added to in place.

        They enter the step that starts at n, with dW and cotangent `next_bar`, and the one that ends there, with dW
        `previous` and half of `y_bar`, None at the grid's first point.
        """
        z = z.detach().requires_grad_()
        with torch.enable_grad():
            f, g = terms.f(solve.time(n), z), terms.g(solve.time(n), z)
        f_bar = next_bar if y_bar is None else axpy(0.5, y_bar, next_bar)
        g_bar = None
        if g is not None:
            g_bar = terms.noise_cotangent(next_bar, dW)
            if y_bar is not None:
                g_bar = axpy(0.5, terms.noise_cotangent(y_bar, previous), g_bar)
        product, *theta_products = vjp((f, g), [z, *solve.parameters], (dt * f_bar, g_bar))
        torch._foreach_add_(theta, theta_products)
        return f.detach(), None if g is None else g.detach(), product

    return run
