"""What the native reverse-mode methods share: each is a sweep. No framework."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax._sweep import AbstractSweep


class AbstractSweepMethod(AbstractGradientMethod):
    """A differentiable solve with fixed steps: the harness measures it, `harness.jax.sdeint` trains with it."""

    framework = "jax"

    @abstractmethod
    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """The sweep for a scheme that `unsuited` lets through. Imports JAX."""

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve
        from harness.methods.jax._sweep import loss_gradient

        return compile_gradient(loss_gradient(self.sweep(scheme)), JaxSolve(problem, scheme, case), path)
