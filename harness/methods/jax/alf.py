"""MALI: the asynchronous leapfrog's exact O(1)-memory gradient, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import ALF, not_alf
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class AsynchronousLeapfrog(AbstractGradientMethod):
    """Step the leapfrog back and backpropagate with the very evaluation of f that the step back needs.

    Zhuang et al. 2021 (arXiv 2102.04668), algorithm 4. ODEs only. Exact up to rounding, memory O(1), one evaluation of
    f a step each way.
    """

    name = "jax/alf"
    framework = "jax"
    summary = "asynchronous leapfrog (MALI), reconstructed backwards: exact in O(1) memory, ODEs only"
    default_schemes = (ALF,)
    step_seconds = 6e-5

    def unsupported(self, case: Case) -> str | None:
        """The leapfrog only."""
        return not_alf(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve

        return compile_gradient(_gradient, JaxSolve(problem, scheme, case), path)


def _gradient(solve, y0, theta, noise):
    """One evaluation of f and its product a step."""
    import jax

    from harness.methods.jax._reconstruct import sweep

    half = 0.5 * solve.dt

    def back(n, state, adjoint, theta, _):
        (y1, v1), (y_bar, v_bar) = state, adjoint
        v_bar = v_bar + half * y_bar
        y = y1 - half * v1
        f, vjp = jax.vjp(lambda y, theta: solve.terms(theta).f(solve.time(n) + half, y), y, theta)
        product, theta_product = vjp(2 * v_bar)
        y_bar = y_bar + product
        v0 = 2 * f - v1
        return (y - half * v0, v0), (y_bar, half * y_bar - v_bar), theta_product

    return sweep(solve, y0, theta, noise, back)
