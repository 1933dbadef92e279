"""What the compiled methods have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.compiler import cannot_compile
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch_compile import _chunks
else:
    (_chunks,) = lazily("harness.methods.torch_compile._chunks")


class AbstractCompiled(AbstractGradientMethod):
    """A PyTorch method whose steps torch.compile makes, for every scheme, where there is something to compile with."""

    framework = "torch"

    def unsupported(self, case: Case) -> str | None:
        """It needs a C++ compiler, and steps of one length, which is a constant of the compiled code."""
        if not isinstance(case.observations, int):
            return "torch-compile needs steps of one length; unequally spaced observations don't give that"
        return cannot_compile()

    @abstractmethod
    def differentiable(self, solve: _chunks.ChunkedSolve) -> AbstractDifferentiableSolve:
        """The solve with its gradient, its steps in compiled chunks."""

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Run once, which compiles."""
        solve = _chunks.ChunkedSolve.of(problem, scheme, case, path)
        return _chunks.compiled(solve, self.differentiable(solve).gradient)
