"""Backpropagation through the solver, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS, REVERSIBLE
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Backprop(AbstractGradientMethod):
    """Discretise, then optimise: the exact gradient of the discrete solve. Memory O(steps).

    The state before each step, the step's noise and the stages of a Runge–Kutta scheme are kept; what happens inside
    f and g is computed again in the backward sweep, which is faster than keeping it: it is memory, not arithmetic,
    that limits the plain scan. Of reversible Heun's state z alone is kept: no product reads more.
    """

    name = "jax/backprop"
    framework = "jax"
    summary = "backpropagation through the solver, stages and noise of every step kept"
    samplers = NATIVE_SAMPLERS
    steppings = ("fixed", "adaptive")
    step_seconds = 1e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax import _adaptive
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._reversible_heun import kept_heun_gradient
        from harness.methods.jax._segment import by_steps
        from harness.methods.jax._solve import JaxSolve
        from harness.schemes._runge_kutta import AbstractRungeKutta

        solve = JaxSolve(problem, scheme, case)
        if case.stepping == "adaptive":
            return compile_gradient(_adaptive.backprop, solve, path)
        if scheme.name == REVERSIBLE:
            return compile_gradient(kept_heun_gradient, solve, path)
        return compile_gradient(_by_stages if isinstance(scheme, AbstractRungeKutta) else by_steps, solve, path)


def _by_stages(solve, y0, theta, noise):
    """The steps' own derivative, at the stages that were kept."""
    from harness.methods.jax._segment import gradient_by_steps
    from harness.methods.jax._stages import step_at, step_keeping

    return gradient_by_steps(solve, y0, theta, noise, keep=step_keeping, again=step_at)
