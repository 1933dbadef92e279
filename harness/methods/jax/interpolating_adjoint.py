"""The adjoint equation on the stored forward path, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class InterpolatingAdjoint(AbstractGradientMethod):
    """Optimise, then discretise, on the stored path: a alone is solved backwards, y is the forward solution's.

    As `torch/interpolating-adjoint`, which has the sources. Memory O(N); biased, but stable where the forward solve is.
    """

    name = "jax/interpolating-adjoint"
    framework = "jax"
    summary = "continuous adjoint, solved backwards on the stored forward path"
    samplers = NATIVE_SAMPLERS
    exact = False
    step_seconds = 1.2e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve

        return compile_gradient(_gradient, JaxSolve(problem, scheme, case), path)


def _gradient(solve, y0, theta, noise):
    """Scan forwards, keeping y; scan (y, a, ∂L/∂θ) backwards, y being the one kept."""
    import jax
    import jax.numpy as jnp

    from harness.methods._interpolate import reads_between, scheme_on_path, state_on_path
    from harness.methods.jax._adjoint import adjoint_step
    from harness.methods.jax._solve import zeros

    tableau = scheme_on_path(solve.scheme, solve.problem)
    terms = solve.terms(theta, stratonovich=True)
    between = reads_between(tableau)

    def forward(state, n, dW, _):
        return solve.step(n, state, theta, dW), state[0]

    def backward(carry, n, dW, y0):
        y1, *bars = carry
        k0 = terms.increment(solve.time(n), y0, solve.dt, None) if between else None

        def stage(i, increments):
            return state_on_path(tableau.c[i], y0, y1, k0, increments)

        bars, _ = adjoint_step(solve, tableau, theta, n, dW, tuple(bars), state=stage)
        return (y0, *bars), None

    def to_observation(state, k):
        state, kept = solve.scan(forward, state, noise, start=k * solve.stride, count=solve.stride)
        return state, (state[0], kept)

    def from_observation(carry, inputs):
        y, a, theta_bar = carry
        k, cotangent, kept = inputs
        carry = (y, a + cotangent, theta_bar)
        start = k * solve.stride
        return solve.scan(backward, carry, noise, start=start, count=solve.stride, inputs=kept, reverse=True)[0], None

    observations = jnp.arange(solve.case.observations)
    state, (ys, kept) = jax.lax.scan(to_observation, solve.init(y0, theta), observations)
    loss, cotangents = solve.loss_cotangents(ys)
    carry = (state[0], zeros(y0), zeros(theta))
    (_, a, theta_bar), _ = jax.lax.scan(from_observation, carry, (observations, cotangents, kept), reverse=True)
    return loss, theta_bar, a
