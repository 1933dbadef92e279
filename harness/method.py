"""The abstract gradient method, and the gradient that it yields."""

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
    """One loss and its gradient, in arrays of the method's own framework.

    `theta` is the gradient by parameter name, each of its parameter's shape.
    A method that knows them may tell how often f was evaluated, forwards and backwards, and, of a random estimator,
    its variance, the mean over the coordinates.

    A method that chooses its steps may report those that it accepted: `times`, (steps + 1,), increasing, from t0 to t1,
    with every observation among them, float64 in NumPy. Its `adjoint_error` is then against the gradient of the solve
    with the same scheme on exactly these steps.
    """

    loss: Float[A, ""]
    theta: Mapping[str, A]
    y0: Float[A, "batch dim"]
    evaluations: Scalar | None = None
    variance: Scalar | None = None
    times: np.ndarray | None = None


@dataclass(frozen=True)
class AbstractGradientMethod(ABC):
    """A way to get dL/dθ and dL/dy0 of a problem: `backend/approach`.

    A subclass that is a frozen dataclass too may have fields, with defaults: they are options that a suite sets,
    `backend/approach(key=value)`. What can't be is a ValueError of its `__post_init__`.

    Modules that define one import no framework at their top: `harness list` reads them without paying for it.
    """

    name: ClassVar[str]
    """`backend/approach`, as in a suite."""
    framework: ClassVar[str]
    """`torch`, `jax` or `numpy`: how the harness synchronises, sets threads and reads arrays."""
    summary: ClassVar[str]
    """One line for `harness list methods`."""
    exact: ClassVar[bool] = True
    """Whether it gives the gradient of the discrete solve up to rounding."""
    default_schemes: ClassVar[tuple[str, ...]] = ("heun", "euler", "midpoint", "reversible-heun")
    """In order of preference: a suite that leaves the scheme out gets the first that fits."""
    baseline: ClassVar[bool] = False
    """Whether it does the bare work only, so that its time is a floor and its gradient means nothing."""
    samplers: ClassVar[tuple[str, ...]] = ("own", "shared")
    """What `brownian` may be."""
    steppings: ClassVar[tuple[str, ...]] = ("fixed",)
    """What `stepping` may be."""
    path_at_any_time: ClassVar[bool] = False
    """Whether the noise that it draws itself is a function of time, as adaptive steps need it."""
    takes_models: ClassVar[bool] = False
    """Whether it solves for a user's own model, too: see `harness.models`."""
    interpolates: ClassVar[bool] = False
    """Whether it takes equal steps and interpolates where a model's observation times are unequally spaced."""
    step_seconds: ClassVar[float] = 1e-3
    """A rough cost of one step, forward and gradient, for the estimate of `--dry-run`."""

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """Why the method can't go by this scheme, in a sentence, or None. Must not import a framework."""
        del scheme

    def unsupported(self, case: Case) -> str | None:
        """Why the method can't do the case for another reason, or None. Must not import a framework."""
        del case

    def unsupported_model(self, case: Case) -> str | None:
        """Why a method that takes models can't do a case of one, or None. Must not import a framework."""
        return self.unsupported(case)

    @abstractmethod
    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Do all that happens once (tensors, tracing, compilation); return one whole forward solve and gradient.

        `scheme` is the harness's own step function, which a library that has its own may ignore.
        `path` is the Brownian sample to use, None where the method is to draw its own. The callable is what the
        harness times; it needn't wait for its result, since the harness synchronises.
        """
