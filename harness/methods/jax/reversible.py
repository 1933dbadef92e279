"""The exact O(1)-memory gradient of a reversible scheme, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS, REVERSIBLE, irreversible
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Reversible(AbstractGradientMethod):
    """Step the scheme backwards algebraically and backpropagate each step as it is recovered.

    For every reversible scheme: exact up to rounding, memory O(1). A step back evaluates the scheme twice, once to
    reverse it and once for its vector–Jacobian product; reversible Heun has its own sweep with one evaluation of f and
    g a step (Kidger et al. 2021, arXiv 2105.13493, algorithms 1 and 2). `docs/methods/reversible.md` has the formulas.
    """

    name = "jax/reversible"
    framework = "jax"
    summary = "a reversible scheme, reconstructed backwards: exact in O(1) memory"
    samplers = NATIVE_SAMPLERS
    default_schemes = (REVERSIBLE,)
    step_seconds = 1e-4

    def unsupported(self, case: Case) -> str | None:
        """Reversible schemes only."""
        return irreversible(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._reversible_heun import reversible_heun_gradient
        from harness.methods.jax._solve import JaxSolve

        function = reversible_heun_gradient if scheme.name == REVERSIBLE else _gradient
        return compile_gradient(function, JaxSolve(problem, scheme, case), path)


def _gradient(solve, y0, theta, noise):
    """The scheme's own inverse, step by step."""
    from harness.methods.jax._reconstruct import gradient_by_reconstruction

    def reverse(n, state, theta, dW):
        return solve.scheme.reverse(solve.terms(theta), solve.time(n + 1), solve.dt, state, dW)

    return gradient_by_reconstruction(solve, y0, theta, noise, reverse)
