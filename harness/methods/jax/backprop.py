"""Backpropagation through the solver, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._adaptive import refusal
from harness.methods._support import NATIVE_SAMPLERS, REVERSIBLE, whole_observations
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Backprop(AbstractGradientMethod):
    """Discretise, then optimise: the exact gradient of the discrete solve. Memory O(steps).

    The state before each step and the step's noise are kept and the step's inner values are recomputed in the backward
    sweep, which is faster than keeping them: it is memory, not arithmetic, that limits the plain scan. Of reversible
    Heun's state z alone is kept, at which f and g are evaluated: no product reads more.
    """

    name = "jax/backprop"
    framework = "jax"
    summary = "backpropagation through the solver, state and noise of every step kept"
    samplers = NATIVE_SAMPLERS
    steppings = ("fixed", "adaptive")
    step_seconds = 1e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return whole_observations(case) or refusal(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax import _adaptive
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._reversible_heun import kept_heun_gradient
        from harness.methods.jax._solve import JaxSolve

        solve = JaxSolve(problem, scheme, case)
        if case.stepping == "adaptive":
            return compile_gradient(_adaptive.backprop, solve, path)
        return compile_gradient(kept_heun_gradient if scheme.name == REVERSIBLE else by_steps, solve, path)


def by_steps(solve, y0, theta, noise):
    """Scan forwards, keeping states; scan backwards, JAX's own vector–Jacobian product of a step after another."""
    import jax
    import jax.numpy as jnp

    from harness.methods.jax._segment import backward, forward_keeping
    from harness.methods.jax._solve import add, zeros

    def to_observation(state, k):
        state, kept = forward_keeping(solve, state, theta, noise, start=k * solve.stride, count=solve.stride)
        return state, (state[0], kept)

    def from_observation(carry, inputs):
        (y_bar, *rest), theta_bar = carry
        k, cotangent, kept = inputs
        carry = ((y_bar + cotangent, *rest), theta_bar)
        return backward(solve, carry, theta, kept, start=k * solve.stride, count=solve.stride), None

    state, init_vjp = jax.vjp(solve.init, y0, theta)
    observations = jnp.arange(solve.case.observations)
    state, (ys, kept) = jax.lax.scan(to_observation, state, observations)
    loss, cotangents = solve.loss_cotangents(ys)
    carry, _ = jax.lax.scan(
        from_observation, (zeros(state), zeros(theta)), (observations, cotangents, kept), reverse=True
    )
    y0_bar, theta_bar = init_vjp(carry[0])
    return loss, add(carry[1], theta_bar), y0_bar
