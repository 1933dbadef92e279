"""Reversible Heun's own backward sweep, PyTorch: one evaluation of f and g a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from harness.method import Gradient
from harness.methods.torch._solve import TorchSolve, vjp


def reversible_heun_gradient(solve: TorchSolve) -> Callable[[], Gradient]:
    """Kidger et al. 2021 (arXiv 2105.13493), algorithms 1 and 2; `docs/methods/reversible.md` has the recursion.

    The evaluation of f and g that a reversed step needs serves the vector–Jacobian products of two forward steps too.
    """
    terms, dt = solve.terms, solve.dt

    def run() -> Gradient:
        ys = []
        with torch.no_grad():
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
        z_bar = evaluate(solve.steps, z, None, None, 0.5 * y_bar, dW, theta)[2]
        for n in reversed(range(solve.steps)):
            with torch.no_grad():
                increment1 = terms.product(f, g, dt, dW)
                z = 2 * y - z - increment1
                next_bar = z_bar + 0.5 * y_bar  # what f(z_n) dt + g(z_n) dW_n receives
                y_bar = y_bar + 2 * z_bar
                k = solve.observation(n)
                if k is not None:
                    y_bar = y_bar + cotangents[k]
            previous = solve.noise[n - 1] if n else None
            f, g, product = evaluate(n, z, next_bar, dW, 0.5 * y_bar if n else None, previous, theta)
            with torch.no_grad():
                y = y - 0.5 * (increment1 + terms.product(f, g, dt, dW))
                z_bar = product - z_bar
                dW = previous
        return solve.gradient(loss, y_bar + z_bar, theta)

    def evaluate(n, z, next_bar, dW, own_bar, previous, theta):
        """f, g at grid point n and what z receives through them; `theta` is added to in place.

        They enter the step that starts at n, with dW and cotangent `next_bar`, and the one that ends there, with
        dW `previous` and cotangent `own_bar`; either is None at an end of the grid.
        """
        z = z.detach().requires_grad_()
        f, g = terms.f(solve.time(n), z), terms.g(solve.time(n), z)
        with torch.no_grad():
            pairs = [(bar, w) for bar, w in ((next_bar, dW), (own_bar, previous)) if bar is not None]
            f_bar: Any = sum(bar for bar, _ in pairs) * dt
            g_bar: Any = None if g is None else sum(terms.noise_cotangent(bar, w) for bar, w in pairs)
        product, *theta_products = vjp((f, g), [z, *solve.parameters], (f_bar, g_bar))
        torch._foreach_add_(theta, theta_products)
        return f.detach(), None if g is None else g.detach(), product

    return run
