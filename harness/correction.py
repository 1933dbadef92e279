"""The drift correction between Itô and Stratonovich, ½ Σ_j (∂g_j/∂y) g_j (Kloeden & Platen 1992, section 4.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.arrays import A, Namespace, Scalar, Theta
from harness.lazy import lazily
from harness.problem import AbstractProblem

if TYPE_CHECKING:
    import jax
    from jaxtyping import Float
else:
    (jax,) = lazily("jax")


def jvp(xp: Namespace, function: Callable[[A], A], y: A, v: A) -> A:
    """The directional derivative of `function` at y along v, in the framework that `xp` belongs to."""
    if xp.__name__ == "torch":
        return xp.func.jvp(function, (y,), (v,))[1]
    if xp.__name__ == "jax.numpy":
        return jax.jvp(function, (y,), (v,))[1]
    raise TypeError(f"no derivatives over {xp.__name__}: use torch or jax.numpy")


def drift_correction(
    xp: Namespace, problem: AbstractProblem, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]
) -> Float[A, "batch dim"]:
    """½ Σ_j (∂g_j/∂y) g_j, g_j being the j-th column of g: the Itô drift minus the Stratonovich one.

    The problem's closed form where it has one, else one directional derivative a column (one in all where diagonal
    noise commutes, since ∂g_i/∂y_k is then zero for k ≠ i).
    """
    closed = problem.correction(xp, t, y, theta)
    if closed is not None:
        return closed

    def g(state: Float[A, "batch dim"]) -> Float[A, "batch ..."]:
        return problem.diffusion(xp, t, state, theta)

    value = g(y)
    if problem.noise == "diagonal":
        if problem.commutative:
            return 0.5 * jvp(xp, g, y, value)
        position = xp.cumsum(xp.ones_like(y), 1)  # 1 … dim along each row
        directions = [xp.where(position == i + 1, value, xp.zeros_like(value)) for i in range(problem.dim)]
        return 0.5 * xp.stack([jvp(xp, g, y, v)[:, i] for i, v in enumerate(directions)], -1)
    total = xp.zeros_like(y)
    for j in range(problem.noise_dim):
        total = total + jvp(xp, lambda state, j=j: g(state)[:, :, j], y, value[:, :, j])
    return 0.5 * total
