"""The exact O(1)-memory gradient of a reversible scheme, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS, REVERSIBLE, irreversible
from harness.problem import AbstractProblem
from harness.scheme import AbstractReversibleScheme, AbstractScheme, State


class Reversible(AbstractGradientMethod):
    """Step the scheme backwards algebraically and backpropagate each step as it is recovered.

    For every reversible scheme: exact up to rounding, memory O(1). A step back evaluates the scheme twice, once to
    reverse it and once for its vector–Jacobian product; reversible Heun has its own sweep with one evaluation of f and
    g a step (Kidger et al. 2021, arXiv 2105.13493, algorithms 1 and 2). `docs/methods/reversible.md` has the formulas.
    """

    name = "torch/reversible"
    framework = "torch"
    summary = "a reversible scheme, reconstructed backwards: exact in O(1) memory"
    samplers = NATIVE_SAMPLERS
    default_schemes = (REVERSIBLE,)
    step_seconds = 6e-4

    def unsupported(self, case: Case) -> str | None:
        """Reversible schemes only."""
        return irreversible(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        from harness.methods.torch._reconstruct import gradient_by_reconstruction
        from harness.methods.torch._reversible_heun import reversible_heun_gradient
        from harness.methods.torch._solve import TorchSolve

        solve = TorchSolve(problem, scheme, case, path)
        if scheme.name == REVERSIBLE:
            return solve.ready(reversible_heun_gradient(solve))
        assert isinstance(scheme, AbstractReversibleScheme)  # or it would have been refused

        def reverse(n: int, state: State) -> State:
            return scheme.reverse(solve.terms, solve.time(n + 1), solve.dt, state, solve.noise[n])

        return solve.ready(lambda: gradient_by_reconstruction(solve, reverse))
