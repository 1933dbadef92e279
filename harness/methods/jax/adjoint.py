"""The stochastic adjoint, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Adjoint(AbstractGradientMethod):
    """Optimise, then discretise: solve the adjoint SDE backwards beside the state, on the same Brownian path.

    As `torch/adjoint`, which has the equations (Li et al. 2020, theorem 2.1 and algorithm 1). Memory O(1); biased.
    """

    name = "jax/adjoint"
    framework = "jax"
    summary = "continuous (stochastic) adjoint, solved backwards on the same path"
    samplers = NATIVE_SAMPLERS
    steppings = ("fixed", "adaptive")
    exact = False
    step_seconds = 1.5e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax import _adaptive
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve

        function = _gradient if case.stepping == "fixed" else _adaptive.adjoint
        return compile_gradient(function, JaxSolve(problem, scheme, case), path)


def _gradient(solve, y0, theta, noise):
    """Scan forwards, keeping the observed states; scan (y, a, ∂L/∂θ) backwards."""
    import jax
    import jax.numpy as jnp

    from harness.arithmetic import combine, minus
    from harness.methods._backward import backward_scheme
    from harness.methods.jax._adjoint import adjoint_step
    from harness.methods.jax._solve import zeros

    tableau = backward_scheme(solve.scheme, solve.problem)

    def step(carry, n, dW, _):
        """One step from time n + 1 to time n."""
        y, *bars = carry

        def stage(i, increments):
            return combine(minus(tableau.a[i]), increments, y)

        bars, increments = adjoint_step(solve, tableau, theta, n, dW, tuple(bars), state=stage)
        return (combine(minus(tableau.b), increments, y), *bars), None

    def from_observation(carry, inputs):
        a, theta_bar = carry
        k, y, cotangent = inputs
        carry = (y, a + cotangent, theta_bar)
        (_, a, theta_bar), _ = solve.scan(step, carry, noise, start=k * solve.stride, count=solve.stride, reverse=True)
        return (a, theta_bar), None

    _, ys = solve.forward(y0, theta, noise)
    loss, cotangents = solve.loss_cotangents(ys)
    observations = jnp.arange(solve.case.observations)
    (a, theta_bar), _ = jax.lax.scan(
        from_observation, (zeros(y0), zeros(theta)), (observations, ys, cotangents), reverse=True
    )
    return loss, theta_bar, a
