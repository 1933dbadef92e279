"""The methods of a library. They only say how the library solves; the rest of a case is made here."""

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
    from harness.models.jax.solve import AbstractSolver as JaxSolver
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
    """The description of the library."""

    def unsupported(self, case: Case) -> str | None:
        """Why the library has no scheme for the case; None if it has one."""
        return self.backend.unsupported(case)


class AbstractTorchLibraryMethod(AbstractLibraryMethod):
    """A gradient method that solves by a PyTorch library, differentiated by autograd. Implement `solver`."""

    framework = "torch"

    def model_solver(self, case: Case, path: SharedPath | None, columns: int) -> AbstractSolver:
        """How the library solves a user's own model. Only needed with `takes_models`.

        `columns` is the number of Brownian motions. `path` is as in `solver`.
        """
        raise NotImplementedError(f"{self.name} takes no models")

    @abstractmethod
    def solver(
        self, of: _tensors.CaseTensors, path: SharedPath | None
    ) -> Callable[[], Float[Tensor, "observations batch dim"]]:
        """Do everything that is done once; return a function that solves.

        The function returns the states at the observed times, without the state at t0, as functions of the leaves
        `of.y0` and `of.theta`. `path` is the shared Brownian path; if it is None, the library draws a new path at each
        call.
        """

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Make the tensors of the case, and the gradient from the states of `solver`."""
        del scheme
        of = _tensors.CaseTensors.of(problem, case)
        solve = self.solver(of, path)
        return lambda: of.gradient(solve())


class AbstractJaxLibraryMethod(AbstractLibraryMethod):
    """A gradient method that solves by a JAX library, differentiated by JAX. Implement `states`."""

    framework = "jax"

    def model_solver(self, case: Case, scheme: AbstractScheme) -> JaxSolver:
        """How the library solves a user's own model. Only needed with `takes_models`."""
        raise NotImplementedError(f"{self.name} takes no models")

    @abstractmethod
    def states(
        self, solve: _solve.JaxSolve, y0: Float[Array, "batch dim"], theta: dict[str, Array], noise: NoiseArgument
    ) -> Float[Array, "observations batch dim"]:
        """The states at the observed times, without the state at t0. It is traced once.

        `solve` has the case, its problem and its times. `noise` is a PRNG key if the library draws its own noise. For
        the shared path it is the increments, with the space–time Lévy areas if the scheme needs them. For an ODE it is
        None.
        """

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile the gradient ahead of time."""
        return _compile.compile_gradient(_gradient_of(self), _solve.JaxSolve(problem, scheme, case), path)


@functools.cache
def _gradient_of(method: AbstractJaxLibraryMethod) -> _loss.LossGradient:
    """The same function for equal methods, by which `compile_gradient` knows a compiled one again."""
    return _loss.gradient_of(method.states)
