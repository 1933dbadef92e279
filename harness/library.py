"""The methods of a library: what is left to say is how the library solves. The rest of a case is made here."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.backend import AbstractBackend
from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from jaxtyping import Array, Float
    from torch import Tensor

    from harness.brownian.jax_noise import NoiseArgument
    from harness.methods.jax import _compile, _loss, _solve
    from harness.methods.torch import _tensors
    from harness.models.torch.solve import AbstractSolver
else:
    _compile, _loss, _solve, _tensors = lazily(
        "harness.methods.jax._compile",
        "harness.methods.jax._loss",
        "harness.methods.jax._solve",
        "harness.methods.torch._tensors",
    )


@dataclass(frozen=True)
class AbstractLibraryMethod(AbstractGradientMethod):
    """A gradient method of a library that solves by its own schemes."""

    backend: ClassVar[AbstractBackend]
    """What is known of the library."""

    def unsupported(self, case: Case) -> str | None:
        """What the library has no scheme for."""
        return self.backend.unsupported(case)


class AbstractTorchLibraryMethod(AbstractLibraryMethod):
    """A solve by a PyTorch library, differentiated by autograd. Eager: there is nothing to compile."""

    framework = "torch"

    def model_solver(self, case: Case, path: SharedPath | None, columns: int) -> AbstractSolver:
        """How the library solves for a user's own model, where `unsupported_model` lets it through.

        `columns` is the number of Brownian motions. `path` is as in `solver`.
        """
        raise NotImplementedError(f"{self.name} takes no models")

    @abstractmethod
    def solver(
        self, of: _tensors.CaseTensors, path: SharedPath | None
    ) -> Callable[[], Float[Tensor, "observations batch dim"]]:
        """Do all that happens once; return a function that solves.

        Its states are those at the observed times but t0, functions of the leaves `of.y0` and
        `of.theta`. `path` is the Brownian sample to use, None where the library is to draw a new one at each call.
        """

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Make the tensors of the case."""
        del scheme
        of = _tensors.CaseTensors.of(problem, case)
        solve = self.solver(of, path)
        return lambda: of.gradient(solve())


class AbstractJaxLibraryMethod(AbstractLibraryMethod):
    """A solve by a JAX library, differentiated by JAX. The gradient is compiled ahead of time."""

    framework = "jax"

    @abstractmethod
    def states(
        self, solve: _solve.JaxSolve, y0: Float[Array, "batch dim"], theta: dict[str, Array], noise: NoiseArgument
    ) -> Float[Array, "observations batch dim"]:
        """The observed states. Traced once.

        `solve` has the case, its problem and its times. `noise` is a key where the library draws, the increments of a
        shared path, with their space–time Lévy areas where the scheme needs them, or None for an ODE.
        """

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        return _compile.compile_gradient(_gradient_of(self), _solve.JaxSolve(problem, scheme, case), path)


@functools.cache
def _gradient_of(method: AbstractJaxLibraryMethod) -> _loss.LossGradient:
    """The same function for equal methods, by which `compile_gradient` knows a compiled one again."""
    return _loss.gradient_of(method.states)
