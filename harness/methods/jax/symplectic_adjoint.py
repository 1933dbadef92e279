"""The symplectic adjoint of Runge–Kutta schemes for ODEs, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._symplectic import refusal
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class SymplecticAdjoint(AbstractGradientMethod):
    """Solve the adjoint ODE by the tableau that is symplectic together with the forward one: exact, a stage at a time.

    As `torch/symplectic-adjoint`, which has the sources; `docs/methods/symplectic-adjoint.md` has the formulas.
    """

    name = "jax/symplectic-adjoint"
    framework = "jax"
    summary = "adjoint by the symplectic partner of a Runge–Kutta scheme: exact, one stage at a time; ODEs"
    default_schemes = ("rk4", "heun", "euler", "midpoint")
    step_seconds = 1e-4

    def unsupported(self, case: Case) -> str | None:
        """ODEs by explicit Runge–Kutta schemes."""
        return refusal(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve

        return compile_gradient(_gradient, JaxSolve(problem, scheme, case), path)


def _gradient(solve, y0, theta, noise):
    """Scan forwards, keeping y; scan (λ, ∂L/∂θ) backwards, a step's stages being recomputed from its y."""
    import jax
    import jax.numpy as jnp

    from harness.methods._symplectic import stage_cotangent, stage_state
    from harness.methods.jax._segment import forward_keeping, step_alone
    from harness.methods.jax._solve import add, zeros

    tableau, dt, stages = solve.scheme, solve.dt, len(solve.scheme.b)

    def step(carry, n, dW, kept):
        """λ before step n from λ after it."""
        (adjoint, theta_bar), ((before, *_), *_) = carry, kept

        def increment(i):
            return lambda y, theta: solve.terms(theta).increment(solve.time(n) + tableau.c[i] * dt, y, dt, dW)

        points, increments = [], []
        for i in range(stages):
            points.append(stage_state(tableau, i, before, increments))
            if i < stages - 1:
                increments.append(increment(i)(points[i], theta))
        later = {}
        for i in reversed(range(stages)):
            cotangent = stage_cotangent(tableau, i, adjoint, later)
            if cotangent is not None:
                _, vjp = jax.vjp(increment(i), points[i], theta)
                later[i], product = vjp(cotangent)
                theta_bar = add(theta_bar, product)
        return (adjoint + sum(later.values()), theta_bar), None

    def to_observation(state, k):
        start = k * solve.stride
        state, kept = forward_keeping(solve, state, theta, noise, start=start, count=solve.stride, keep=step_alone)
        return state, (state[0], kept)

    def from_observation(carry, inputs):
        adjoint, theta_bar = carry
        k, cotangent, kept = inputs
        carry = (adjoint + cotangent, theta_bar)
        start = k * solve.stride
        return solve.scan(step, carry, noise, start=start, count=solve.stride, inputs=kept, reverse=True)[0], None

    observations = jnp.arange(solve.case.observations)
    _, (ys, kept) = jax.lax.scan(to_observation, solve.init(y0, theta), observations)
    loss, cotangents = solve.loss_cotangents(ys)
    carry = (zeros(y0), zeros(theta))
    (adjoint, theta_bar), _ = jax.lax.scan(from_observation, carry, (observations, cotangents, kept), reverse=True)
    return loss, theta_bar, adjoint
