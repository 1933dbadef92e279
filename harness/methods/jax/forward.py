"""Forward sensitivities, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Forward(AbstractGradientMethod):
    """Propagate ∂y/∂θ and ∂y/∂y0 beside the state, and contract them with ∂L/∂y where it is observed.

    Forward-mode differentiation of the discrete solve, some directions at a time: exact, memory O(1) in the steps, time
    in proportion to the number of parameters. Griewank & Walther, "Evaluating Derivatives", 2008, section 3.1.
    """

    name = "jax/forward"
    framework = "jax"
    summary = "forward sensitivities of every parameter: exact in O(1) memory, for few parameters"
    samplers = NATIVE_SAMPLERS
    step_seconds = 5e-3

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve

        return compile_gradient(_gradient, JaxSolve(problem, scheme, case), path)


def _gradient(solve, y0, theta, noise):
    """A solve for ∂L/∂y, then a chunk of unit directions of (θ, y0) at a time."""
    import jax
    import jax.numpy as jnp
    from jax.flatten_util import ravel_pytree

    from harness.methods.jax._abreast import chunks

    flat, unravel = ravel_pytree(theta)
    size = flat.size + y0.shape[1]  # every sample of y0 is moved at once, since samples don't meet in the solve
    loss, cotangents = solve.loss_cotangents(solve.forward(y0, theta, noise)[1])

    def parts(y0, theta):
        """Σ ∂L/∂y · y over the observations, for each sample."""

        def step(carry, n, dW, _):
            state, total = carry
            state = solve.step(n, state, theta, dW)
            observed, k = solve.observation(n + 1)
            return (state, total + jnp.where(observed, (cotangents[k] * state[0]).sum(1), 0)), None

        carry = solve.init(y0, theta), jnp.zeros_like(y0[:, 0])
        (_, total), _ = solve.scan(step, carry, noise, start=0, count=solve.steps)
        return total

    def slopes_along(direction):
        seeds = jnp.broadcast_to(direction[flat.size :], y0.shape), unravel(direction[: flat.size])
        return jax.jvp(parts, (y0, theta), seeds)[1]

    def one_chunk(carry, indices):
        theta_bar, y0_bar = carry
        directions = jax.nn.one_hot(indices, size, dtype=y0.dtype)
        slopes = jax.vmap(slopes_along)(directions)  # (chunk, batch)
        theta_bar = theta_bar + slopes.sum(1) @ directions[:, : flat.size]
        return (theta_bar, y0_bar + slopes.T @ directions[:, flat.size :]), None

    carry = jnp.zeros_like(flat), jnp.zeros_like(y0)
    (theta_bar, y0_bar), _ = jax.lax.scan(one_chunk, carry, chunks(size, max(size, y0.size)))
    return loss, unravel(theta_bar), y0_bar
