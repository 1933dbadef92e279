"""One backward step of the continuous adjoint equation, JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from harness.arithmetic import combine
from harness.methods.jax._solve import JaxSolve
from harness.scheme import increment_of
from harness.schemes._runge_kutta import AbstractRungeKutta, Tableau


def adjoint_step(
    solve: JaxSolve,
    tableau: AbstractRungeKutta,
    theta: Any,
    n: Any,
    dW: Any,
    bars: tuple[Any, Any],
    *,
    state: Callable[[int, list[Any]], Any],
) -> tuple[tuple[Any, Any], list[Any]]:
    """da = −aᵀ ∂F/∂y, with F the increment in Stratonovich form, by a Runge–Kutta scheme from time n + 1 to time n.

    `bars` is (a, ∂L/∂θ so far); `state(i, increments)` is y at stage i, given F of the stages before it. Returns the
    new pair, and F of every stage.
    """
    stretch = solve.time(n + 1), solve.dt, increment_of(dW)
    bars, increments, _ = adjoint_over(solve, tableau, theta, stretch, bars, state=state)
    return bars, increments


def adjoint_over(
    solve: JaxSolve,
    tableau: AbstractRungeKutta | Tableau,
    theta: Any,
    stretch: tuple[Any, Any, Any],
    bars: tuple[Any, Any],
    *,
    state: Callable[[int, list[Any]], Any],
) -> tuple[tuple[Any, Any], list[Any], list[Any]]:
    """As `adjoint_step` over a stretch (t1, dt, dW), from t1 to t1 − dt. Returns every stage's product with a too."""
    a, theta_bar = bars
    t1, dt, dW = stretch
    increments: list[Any] = []
    products: list[Any] = []
    for i, (row, b, c) in enumerate(zip(tableau.a, tableau.b, tableau.c, strict=True)):

        def increment(y: Any, theta: Any, t: Any = t1 - c * dt) -> Any:
            return solve.terms(theta, stratonovich=True).increment(t, y, dt, dW)

        value, vjp = jax.vjp(increment, state(i, increments), theta)
        product, theta_product = vjp(combine(row, products, a))
        increments.append(value)
        products.append(product)
        if b:
            theta_bar = jax.tree.map(lambda total, x, b=b: total + b * x, theta_bar, theta_product)
    return (combine(tableau.b, products, a), theta_bar), increments, products
