"""Effectively symmetric schemes, reversed by a step back, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import EES, NATIVE_SAMPLERS, not_effectively_symmetric
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, State, backward_noise


class EffectivelySymmetric(AbstractGradientMethod):
    """Step an EES scheme back with −h and −dW, and backpropagate each step from the state so recovered.

    Shmelev et al. 2025 (arXiv 2507.21006). Memory O(1). The step back misses the state by O(h⁶) or O(h⁸) for an ODE,
    O(h³) or O(h⁴) for an SDE: the gradient is nearly that of the discrete solve where h is small, and wrong where not.
    """

    name = "torch/ees"
    framework = "torch"
    summary = "an effectively symmetric scheme, reversed by a step back: nearly exact in O(1) memory"
    samplers = NATIVE_SAMPLERS
    exact = False
    default_schemes = EES
    step_seconds = 9e-4

    def unsupported(self, case: Case) -> str | None:
        """EES schemes only."""
        return not_effectively_symmetric(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        from harness.methods.torch._reconstruct import gradient_by_reconstruction
        from harness.methods.torch._solve import TorchSolve

        solve = TorchSolve(problem, scheme, case, path)

        def reverse(n: int, state: State) -> State:
            return scheme.step(solve.terms, solve.time(n + 1), -solve.dt, state, backward_noise(solve.noise[n]))

        return solve.ready(lambda: gradient_by_reconstruction(solve, reverse))
