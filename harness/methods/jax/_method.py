"""What the native reverse-mode methods share: each is a sweep. No framework."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.grid import Grid
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax import _compile, _solve, _sweep
else:
    _compile, _solve, _sweep = lazily(
        "harness.methods.jax._compile", "harness.methods.jax._solve", "harness.methods.jax._sweep"
    )


class AbstractSweepMethod(AbstractGradientMethod):
    """A differentiable solve: the harness measures it, `harness.jax.sdeint` trains with it."""

    framework = "jax"
    takes_models = True

    @abstractmethod
    def sweep(self, scheme: AbstractScheme) -> _sweep.AbstractSweep:
        """The sweep over fixed steps, for a scheme that `unsuited` lets through. Imports JAX."""

    def adaptive_sweep(self) -> _sweep.AbstractSweep:
        """The sweep over adaptive steps, for a method whose `steppings` has them. Imports JAX."""
        raise NotImplementedError(f"{self.name} has fixed steps only")

    def stepped(self, solve: _solve.JaxSolve) -> _sweep.AbstractSweep:
        """The sweep over the steps that the solve has."""
        fixed = isinstance(solve.stepping, Grid)
        return self.sweep(solve.scheme) if fixed else self.adaptive_sweep()

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        solve = _solve.JaxSolve(problem, scheme, case)
        return _compile.compile_gradient(_sweep.loss_gradient(self.stepped(solve)), solve, path)
