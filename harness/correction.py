"""The drift correction between Itô and Stratonovich, ½ Σ_j (∂g_j/∂y) g_j (Kloeden & Platen 1992, section 4.9).

`drift_correction` is exact. `correction_over` is what a step of a backward solve needs: the correction times dt, by a
difference of g in place of its derivatives.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from harness.arithmetic import rows_times
from harness.arrays import A, Namespace, Scalar, Theta
from harness.lazy import lazily
from harness.problem import AbstractProblem

if TYPE_CHECKING:
    import jax
    from jaxtyping import Float

    from harness.methods.torch import _own_derivative
else:
    jax, _own_derivative = lazily("jax", "harness.methods.torch._own_derivative")


def jvp(xp: Namespace, function: Callable[[A], A], y: A, v: A) -> A:
    """The directional derivative of `function` at y along v, in the framework that `xp` belongs to."""
    if xp.__name__ == "torch":
        return xp.func.jvp(function, (y,), (v,))[1]
    if xp.__name__ == "jax.numpy":
        return jax.jvp(function, (y,), (v,))[1]
    raise TypeError(f"no derivatives over {xp.__name__}: use torch or jax.numpy")


def with_own_derivative(xp: Namespace, evaluate: Callable[[A], tuple[A, A | None]], y: A) -> tuple[A, A, A] | None:
    """f, g and (∂g/∂y) g where ∂g/∂y is diagonal, `evaluate` giving f and g; None where it can't be computed so."""
    if xp.__name__ != "torch":
        return None
    function, state = cast(Any, evaluate), cast(Any, y)  # of tensors
    return cast(Any, _own_derivative.with_own_derivative(function, state))


def drift_correction(
    xp: Namespace,
    problem: AbstractProblem,
    t: Scalar,
    y: Float[A, "batch dim"],
    theta: Theta[A],
    *,
    value: Float[A, "batch ..."] | None = None,
) -> Float[A, "batch dim"]:
    """½ Σ_j (∂g_j/∂y) g_j, g_j being the j-th column of g: the Itô drift minus the Stratonovich one.

    `value` is g(t, y), where it is known.

    The problem's closed form where it has one, else one directional derivative a column (one in all where diagonal
    noise commutes, since ∂g_i/∂y_k is then zero for k ≠ i).
    """
    closed = problem.correction(xp, t, y, theta)
    if closed is not None:
        return closed

    def g(state: Float[A, "batch dim"]) -> Float[A, "batch ..."]:
        return problem.diffusion(xp, t, state, theta)

    if problem.noise == "diagonal":
        if problem.commutative:
            found = with_own_derivative(xp, lambda state: (state, g(state)), y)
            return 0.5 * (jvp(xp, g, y, g(y) if value is None else value) if found is None else found[2])
        value = g(y) if value is None else value
        position = xp.cumsum(xp.ones_like(y), 1)  # 1 … dim along each row
        directions = [xp.where(position == i + 1, value, xp.zeros_like(value)) for i in range(problem.dim)]
        return 0.5 * xp.stack([jvp(xp, g, y, v)[:, i] for i, v in enumerate(directions)], -1)
    value = g(y) if value is None else value
    total = xp.zeros_like(y)
    for j in range(problem.noise_dim):
        total = total + jvp(xp, lambda state, j=j: g(state)[:, :, j], y, value[:, :, j])
    return 0.5 * total


def correction_over(
    xp: Namespace,
    problem: AbstractProblem,
    t: Scalar,
    y: Float[A, "batch dim"],
    theta: Theta[A],
    *,
    g: Float[A, "batch ..."],
    dt: Scalar,
    dW: Float[A, "batch noise_dim"],
) -> Float[A, "batch dim"]:
    """½ Σ_j (∂g_j/∂y) g_j dt over a step of length dt with increment dW, at the cost of one more evaluation of g.

    `g` is g(t, y). The problem's closed form where it has one. Else, with a sign s_j for each column,

        ½ Σ_j s_j (g_j(y + dt Σ_k s_k g_k) − g_j(y)) = ½ dt Σ_jk s_j s_k (∂g_j/∂y) g_k + O(dt²).

    One column, or diagonal noise that commutes, has no terms but j = k: all signs are 1. Otherwise s_j is the sign of
    dW_j. The terms with j ≠ k then have mean zero, are independent from step to step and of order dt, as the Lévy areas
    that a scheme of strong order ½ leaves out anyway. Noise of several columns that commutes has a strong order of 1 to
    lose, and takes an evaluation of g for each column.

    Nothing is divided by the small difference, so that rounding is that of g, once a step.
    """
    closed = problem.correction(xp, t, y, theta)
    if closed is not None:
        return dt * closed

    def change(shift: Float[A, "batch dim"]) -> Float[A, "batch ..."]:
        return problem.diffusion(xp, t, y + dt * shift, theta) - g

    if problem.noise == "diagonal":
        if problem.commutative:
            return 0.5 * change(g)
        signs = xp.sign(dW)
        return 0.5 * (signs * change(signs * g))
    if g.shape[2] == 1:
        return 0.5 * change(g[:, :, 0])[:, :, 0]
    if problem.commutative:
        columns = [change(g[:, :, j])[:, :, j] for j in range(g.shape[2])]
        return 0.5 * functools.reduce(operator.add, columns)
    signs = xp.sign(dW)
    return 0.5 * rows_times(change(rows_times(g, signs)), signs)
