"""One backward step of the continuous adjoint equation, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from harness.arithmetic import combine, scale
from harness.methods.torch._solve import TorchSolve
from harness.methods.torch._vjp import vjp
from harness.scheme import increment_of
from harness.schemes._runge_kutta import AbstractRungeKutta, Tableau
from harness.terms import Terms

StageState = Callable[[int, list[Tensor]], Tensor]
"""(i, increments) -> y at stage i, (batch, dim), given F of the stages before it."""


class AdjointStep:
    """da = −aᵀ ∂F/∂y, with F the increment in Stratonovich form, by a Runge–Kutta scheme from time n + 1 to time n.

    F and its vector–Jacobian product are evaluated together, the product from what f and g receive, so that F itself is
    no part of the graph; the products by θ only where a stage has a weight. To be called without gradients.
    F is f dt + g dW, or, for an ODE whose tableau has weights times dt, f times `unit` = 1.
    """

    def __init__(self, solve: TorchSolve, tableau: AbstractRungeKutta | Tableau, unit: float | None = None) -> None:
        self.solve = solve
        self.tableau = tableau
        self.unit = unit
        self.terms = Terms(torch, solve.problem, solve.theta, clock=solve.clock)

    def __call__(
        self, n: int, a: Float[Tensor, "batch dim"], theta: list[Tensor], state: StageState
    ) -> tuple[Float[Tensor, "batch dim"], list[Tensor]]:
        """a at time n from a at time n + 1, and F of every stage; ∂L/∂θ is added to `theta` in place."""
        solve = self.solve
        dW = increment_of(solve.noise[n])
        increments, products = self.stages(solve.time(n + 1), solve.dt(n), dW, a, theta, state)
        return combine(self.tableau.b, products, a), increments

    def stages(
        self,
        t1: float,
        dt: float,
        dW: Float[Tensor, "batch noise_dim"] | None,
        a: Float[Tensor, "batch dim"],
        theta: list[Tensor] | None,
        state: StageState,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """F and its product with a at every stage of the step from t1 to t1 − dt. Without `theta`, none by θ."""
        solve, tableau = self.solve, self.tableau
        unit = dt if self.unit is None else self.unit
        increments: list[Tensor] = []
        products: list[Tensor] = []
        for i, (row, b, c) in enumerate(zip(tableau.a, tableau.b, tableau.c, strict=True)):
            y, t, stage_a = state(i, increments).detach().requires_grad_(), t1 - c * dt, combine(row, products, a)
            with torch.enable_grad():
                f, g = self.terms.f_and_g(t, y)
                correction = self.terms.correction(t, y, g, dt, dW)
            g_bar = self.terms.noise_cotangent(stage_a, dW)
            wanted = [y, *solve.parameters] if b and theta is not None else [y]
            if correction is None:
                product, *theta_products = vjp((f, g), wanted, (scale(unit, stage_a), g_bar))
                increments.append(self.terms.product(f, g, unit, dW))
            else:
                cotangents = scale(unit, stage_a), g_bar, -stage_a
                product, *theta_products = vjp((f, g, correction), wanted, cotangents)
                increments.append(self.terms.product(f, g, unit, dW) - correction)
            products.append(product)
            if b and theta is not None:
                torch._foreach_add_(theta, theta_products, alpha=b)
        return increments, products
