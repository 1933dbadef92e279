"""The continuous adjoint equation, JAX: its solve beside the state, and one backward step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from harness.arithmetic import combine, minus
from harness.brownian.jax_noise import Index, NoiseArgument
from harness.methods._backward import backward_scheme
from harness.methods.jax._solve import JaxSolve, Observed, Y, zeros
from harness.methods.jax._sweep import AbstractSweep
from harness.scheme import Noise, increment_of
from harness.schemes._runge_kutta import AbstractRungeKutta, Tableau

Backwards: TypeAlias = tuple[Y, Y, PyTree]
"""(y, a, ∂L/∂θ so far), with a the adjoint: the state of the solve that goes backwards."""


@dataclass(frozen=True)
class AdjointSweep(AbstractSweep):
    """Scan forwards, keeping the observed states; scan (y, a, ∂L/∂θ) backwards."""

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """Keep the observed states."""
        _, ys = solve.forward(y0, theta, noise)
        return ys, ys

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """Both equations on the same path, y being set to the forward solution's at every observation."""
        tableau = backward_scheme(solve.scheme, solve.problem)

        def back(carry: Backwards, n: Index, dW: Noise[Array], _: PyTree) -> Backwards:
            """One step from time n + 1 to time n."""
            y, *bars = carry

            def stage(i: int, increments: list[Y]) -> Y:
                return combine(minus(tableau.a[i]), increments, y)

            bars, increments = adjoint_step(solve, tableau, theta, n, dW, (bars[0], bars[1]), state=stage)
            return combine(minus(tableau.b), increments, y), *bars

        def meet(carry: Backwards, seen: tuple[Y, Y]) -> Backwards:
            (_, a, theta_bar), (y, cotangent) = carry, seen
            return y, a + cotangent, theta_bar

        nothing = jnp.zeros_like(ys_bar[0])
        seen = (residual, ys_bar)
        _, a, theta_bar = solve.backwards(back, (nothing, nothing, zeros(theta)), noise, meet=meet, seen=seen)
        return a, theta_bar


def adjoint_step(
    solve: JaxSolve,
    tableau: AbstractRungeKutta,
    theta: PyTree,
    n: Index,
    dW: Noise[Array],
    bars: tuple[Y, PyTree],
    *,
    state: Callable[[int, list[Y]], Y],
) -> tuple[tuple[Y, PyTree], list[Y]]:
    """da = −aᵀ ∂F/∂y, with F the increment in Stratonovich form, by a Runge–Kutta scheme from time n + 1 to time n.

    `bars` is (a, ∂L/∂θ so far); `state(i, increments)` is y at stage i, given F of the stages before it. Returns the
    new pair, and F of every stage.
    """
    stretch = solve.time(n + 1), solve.dt(n), increment_of(dW)
    bars, increments, _ = adjoint_over(solve, tableau, theta, stretch, bars, state=state)
    return bars, increments


def adjoint_over(
    solve: JaxSolve,
    tableau: AbstractRungeKutta | Tableau,
    theta: PyTree,
    stretch: tuple[Float[Array, ""], Float[Array, ""] | float, Float[Array, "batch noise_dim"] | None],
    bars: tuple[Y, PyTree],
    *,
    state: Callable[[int, list[Y]], Y],
) -> tuple[tuple[Y, PyTree], list[Y], list[Y]]:
    """As `adjoint_step` over a stretch (t1, dt, dW), from t1 to t1 − dt. Returns every stage's product with a too."""
    a, theta_bar = bars
    t1, dt, dW = stretch
    increments: list[Y] = []
    products: list[Y] = []
    for i, (row, b, c) in enumerate(zip(tableau.a, tableau.b, tableau.c, strict=True)):

        def increment(y: Y, theta: PyTree, t: Float[Array, ""] = t1 - c * dt) -> Y:
            return solve.terms(theta).stratonovich_increment(t, y, dt, dW)

        value, vjp = jax.vjp(increment, state(i, increments), theta)
        product, theta_product = vjp(combine(row, products, a))
        increments.append(value)
        products.append(product)
        if b:
            theta_bar = jax.tree.map(lambda total, x, b=b: total + b * x, theta_bar, theta_product)
    return (combine(tableau.b, products, a), theta_bar), increments, products
