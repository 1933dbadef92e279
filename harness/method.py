"""The abstract gradient method, and the gradient that it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic

from harness.arrays import A, Scalar
from harness.brownian.path import SharedPath
from harness.case import Case
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


@dataclass(frozen=True)
class Gradient(Generic[A]):
    """A loss and its gradient, in arrays of the method's framework.

    - `loss`: a scalar.
    - `theta`: the gradient with respect to each parameter, by name. It has the shape of the parameter.
    - `y0`: the gradient with respect to the initial state, (batch, dim).
    - `evaluations` (optional): the number of evaluations of f, forwards and backwards.
    - `variance` (optional): the variance of a random estimator, averaged over the coordinates.
    - `times` (optional): the ends of the steps that an adaptive method accepted, a float64 NumPy array of shape
      (steps + 1,), increasing from t0 to t1, which includes every observation time. `adjoint_error` then compares with
      the same scheme on exactly these steps.
    """

    loss: Float[A, ""]
    theta: Mapping[str, A]
    y0: Float[A, "batch dim"]
    evaluations: Scalar | None = None
    variance: Scalar | None = None
    times: np.ndarray | None = None


@dataclass(frozen=True)
class AbstractGradientMethod(ABC):
    """A way to compute dL/dθ and dL/dy0 of a problem, named `backend/approach`.

    A method may have options. Make it a frozen dataclass with a field and a default for each. A suite sets them as
    `backend/approach(key=value)`. `__post_init__` raises ValueError for values that the method can't use.

    A module that defines a method must not import its framework at the top, because `harness list` imports the module.
    """

    name: ClassVar[str]
    """`backend/approach`, as in a suite."""
    framework: ClassVar[str]
    """`torch`, `jax` or `numpy`. Decides how the harness synchronises, sets threads and reads arrays."""
    summary: ClassVar[str]
    """One line for `harness list methods`."""
    exact: ClassVar[bool] = True
    """Whether it gives the gradient of the discrete solve up to rounding."""
    default_schemes: ClassVar[tuple[str, ...]] = ("heun", "euler", "midpoint", "reversible-heun")
    """Used when a suite names no scheme: the first of these that fits the case."""
    baseline: ClassVar[bool] = False
    """Whether it is a yardstick for time, such as a floor, and not a method. Its gradient is then ignored."""
    samplers: ClassVar[tuple[str, ...]] = ("own", "shared")
    """The values of `brownian` that it supports."""
    steppings: ClassVar[tuple[str, ...]] = ("fixed",)
    """The values of `stepping` that it supports."""
    path_at_any_time: ClassVar[bool] = False
    """Whether its own sampler can be evaluated at any time. Adaptive steps need this."""
    takes_models: ClassVar[bool] = False
    """Whether it can also solve a user's own model: see `harness.models`."""
    interpolates: ClassVar[bool] = False
    """Whether it takes equal steps and interpolates when a model's observation times are unequally spaced."""
    step_seconds: ClassVar[float] = 1e-3
    """A rough cost of one step, forward and gradient, for the estimate of `--dry-run`."""

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """Why the method can't use this scheme, as a sentence; None if it can. It must not import a framework."""
        del scheme

    def unsupported(self, case: Case) -> str | None:
        """Why the method can't do this case for another reason; None if it can. It must not import a framework."""
        del case

    def unsupported_model(self, case: Case) -> str | None:
        """The same for a case of a user's own model. Only asked if `takes_models`."""
        return self.unsupported(case)

    @abstractmethod
    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Prepare what is done once (tensors, tracing, compilation). Return a function that does the rest.

        The returned function takes no arguments, and does one forward solve and one gradient. The harness times it, and
        synchronises after it.

        `scheme` is the numerical scheme; a library that has its own schemes may ignore it. `path` is the shared
        Brownian path. It is None if the method has to draw its own noise, and for an ODE.
        """
