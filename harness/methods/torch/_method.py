"""What the native PyTorch methods are that give a differentiable solve."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.grid import Grid
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.torch import _solve
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
else:
    (_solve,) = lazily("harness.methods.torch._solve")


class AbstractTorchMethod(AbstractGradientMethod):
    """A reverse-mode method in eager PyTorch. `harness.torch.sdeint` gives the same solve to a model of one's own."""

    framework = "torch"
    samplers = NATIVE_SAMPLERS
    takes_models = True

    unrolled: ClassVar[bool] = False
    """Whether autograd sees all steps in one graph, so that no parameter needs to be known."""

    @abstractmethod
    def differentiable(self, solve: _solve.TorchSolve) -> AbstractDifferentiableSolve:
        """The solve with its gradient, with fixed steps. Called once for many solves."""

    def with_adaptive_steps(self, solve: _solve.TorchSolve) -> AbstractDifferentiableSolve:
        """The same with adaptive steps, for a method whose `steppings` has them."""
        raise NotImplementedError(f"{self.name} has fixed steps only")

    def stepped(self, solve: _solve.TorchSolve) -> AbstractDifferentiableSolve:
        """By the steps that the solve has."""
        fixed = isinstance(solve.stepping, Grid)
        return self.differentiable(solve) if fixed else self.with_adaptive_steps(solve)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Make the tensors. On a CUDA device the gradient is captured; on a CPU there is nothing to compile."""
        solve = _solve.TorchSolve.of(problem, scheme, case, path)
        return solve.ready(self.stepped(solve).gradient)
