"""Forward sensitivities, JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, Noise, State

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
    from jax import flatten_util
    from jaxtyping import Array, Float, Int, PyTree

    from harness.brownian.jax_noise import Index, NoiseArgument
    from harness.methods.jax import _abreast, _compile, _solve
else:
    jax, jnp, flatten_util, _abreast, _compile, _solve = lazily(
        "jax",
        "jax.numpy",
        "jax.flatten_util",
        "harness.methods.jax._abreast",
        "harness.methods.jax._compile",
        "harness.methods.jax._solve",
    )


class Forward(AbstractGradientMethod):
    """Propagate ∂y/∂θ and ∂y/∂y0 beside the state, and contract them with ∂L/∂y where it is observed.

    Forward-mode differentiation of the discrete solve, some directions at a time: exact, memory O(1) in the steps, time
    in proportion to the number of parameters. Griewank & Walther, "Evaluating Derivatives", 2008, section 3.1.
    """

    name = "jax/forward"
    framework = "jax"
    summary = "forward sensitivities of every parameter: exact in O(1) memory, for few parameters"
    samplers = NATIVE_SAMPLERS
    step_seconds = 2.2e-3

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        return _compile.compile_gradient(_gradient, _solve.JaxSolve(problem, scheme, case), path)


def _gradient(
    solve: _solve.JaxSolve, y0: Float[Array, "batch dim"], theta: PyTree, noise: NoiseArgument
) -> tuple[Float[Array, ""], PyTree, Float[Array, "batch dim"]]:
    """A solve for ∂L/∂y, then a chunk of unit directions of (θ, y0) at a time."""
    flat, unravel = flatten_util.ravel_pytree(theta)
    size = flat.size + y0.shape[1]  # every sample of y0 is moved at once, since samples don't meet in the solve
    loss, cotangents = solve.loss_cotangents(solve.forward(y0, theta, noise)[1])

    def parts(y0: Float[Array, "batch dim"], theta: PyTree) -> Float[Array, " batch"]:
        """Σ ∂L/∂y · y over the observations, for each sample."""

        def step(
            carry: tuple[State[Array], Float[Array, " batch"]], n: Index, dW: Noise[Array], _: PyTree
        ) -> tuple[tuple[State[Array], Float[Array, " batch"]], None]:
            state, total = carry
            state = solve.step(n, state, theta, dW)
            observed, k = solve.observation(n + 1)
            return (state, total + jnp.where(observed, (cotangents[k] * state[0]).sum(1), 0)), None

        carry = solve.init(y0, theta), jnp.zeros_like(y0[:, 0])
        (_, total), _ = solve.scan(step, carry, noise, start=0, count=solve.steps)
        return total

    def slopes_along(direction: Float[Array, " entries"]) -> Float[Array, " batch"]:
        seeds = jnp.broadcast_to(direction[flat.size :], y0.shape), unravel(direction[: flat.size])
        return jax.jvp(parts, (y0, theta), seeds)[1]

    def one_chunk(
        carry: tuple[Float[Array, " parameters"], Float[Array, "batch dim"]], indices: Int[Array, " length"]
    ) -> tuple[tuple[Float[Array, " parameters"], Float[Array, "batch dim"]], None]:
        theta_bar, y0_bar = carry
        directions = jax.nn.one_hot(indices, size, dtype=y0.dtype)
        slopes = jax.vmap(slopes_along)(directions)  # (length, batch)
        theta_bar = theta_bar + slopes.sum(1) @ directions[:, : flat.size]
        return (theta_bar, y0_bar + slopes.T @ directions[:, flat.size :]), None

    carry = jnp.zeros_like(flat), jnp.zeros_like(y0)
    (theta_bar, y0_bar), _ = jax.lax.scan(one_chunk, carry, _abreast.chunks(size, max(size, y0.size)))
    return loss, unravel(theta_bar), y0_bar
