"""The abstract problem: an SDE (or ODE) with parameters, an initial value and a loss, over an array namespace."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.case import CALCULI, NOISES
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float

    from harness.case import Case
    from harness.initial import Values
    from harness.method import AbstractGradientMethod


@dataclass(frozen=True, kw_only=True)
class AbstractProblem(ABC):
    """An SDE dY = f(t, Y; θ) dt + g(t, Y; θ) dW on [t0, t1], or an ODE if `noise` is `none`, with a loss.

    Every function takes an array namespace `xp`, which is `torch`, `jax.numpy` or `numpy`, and uses only what the three
    share. `t` may be a Python float or a scalar array: write `t**0.5`, not `xp.sqrt(t)`.

    Shapes: y is (batch, dim), the drift (batch, dim), the diffusion (batch, dim) for diagonal noise and
    (batch, dim, noise_dim) for other noise, the observed states (observations, batch, dim).

    `t0`, `t1` and every field that a subclass adds are parameters that a suite may set: `problem: name(field=value)`.
    """

    noise: str
    calculus: str
    dim: int
    t0: float = 0.0
    t1: float = 1.0
    values: Values | None = field(default=None, repr=False, compare=False)
    """y0 and θ, if the harness has drawn them for a block: see `harness.initial.initial_values`."""

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """A plain `t1 = 2.0` in a subclass is the default of the field, though it has no annotation of its own."""
        super().__init_subclass__()
        plain = {name: "float" for name in ("t0", "t1") if name in cls.__dict__}
        cls.__annotations__ = plain | inspect.get_annotations(cls)

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """Why the problem doesn't have this noise or calculus; None if it does. By default all are allowed."""
        del noise, calculus
        return None

    def __post_init__(self) -> None:
        """Check the fields. Raises ValueError for what the problem doesn't allow."""
        if self.noise not in NOISES or self.calculus not in CALCULI:
            raise ValueError(f"noise {self.noise!r} with calculus {self.calculus!r}: not known")
        if self.dim < 1:
            raise ValueError(f"dim must be at least 1, given {self.dim}")
        for cls in type(self).__mro__:
            if {"t0", "t1"} & cls.__dict__.keys() and "__dataclass_fields__" not in cls.__dict__:
                raise ValueError(f"{cls.__name__} sets t0 or t1 and must be a dataclass, frozen and with keywords only")
        if not -math.inf < self.t0 < self.t1 < math.inf:
            raise ValueError(f"t0 must be before t1, given {self.t0} and {self.t1}")
        reason = self.unsupported(self.noise, self.calculus)
        if reason:
            raise ValueError(reason)

    @property
    def noise_dim(self) -> int:
        """The number m of Brownian motions of one sample. Default: 0 for an ODE, 1 for scalar noise, else `dim`."""
        return {"none": 0, "scalar": 1}.get(self.noise, self.dim)

    @property
    def additive(self) -> bool:
        """Whether g is known not to depend on y, whatever the noise type is."""
        return self.noise == "additive"

    @property
    def commutative(self) -> bool:
        """Whether the noise is known to commute, so that schemes of order 1 need no Lévy areas."""
        return self.additive or self.noise in ("none", "scalar")

    def unsuited(self, method: AbstractGradientMethod) -> str | None:
        """Why a method can't solve the problem in any case; None if it can."""
        del method

    def refusal(self, method: AbstractGradientMethod, case: Case) -> str | None:
        """Why a method can't solve the problem in this case; None if it can. By default the method decides."""
        return method.unsupported(case)

    @abstractmethod
    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """The initial state y0, float64, (batch, dim)."""

    @abstractmethod
    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """The parameters θ by name, float64. The gradient has the same names."""

    @abstractmethod
    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """The drift f, (batch, dim)."""

    @abstractmethod
    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """The diffusion g, (batch, dim) for diagonal noise, else (batch, dim, noise_dim). Not called for an ODE."""

    def drift_and_diffusion(
        self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]
    ) -> tuple[Float[A, "batch dim"], Float[A, "batch ..."]]:
        """f and g at the same time and state, as a pair. Not called for an ODE.

        Override it if the two share work, such as a layer that both read, which is then evaluated once. It must return
        the same as `drift` and `diffusion`; this is checked before a case is measured.
        """
        return self.drift(xp, t, y, theta), self.diffusion(xp, t, y, theta)

    @property
    def shares(self) -> bool:
        """Whether `drift_and_diffusion` is overridden, because f and g cost less together than apart."""
        return type(self).drift_and_diffusion is not AbstractProblem.drift_and_diffusion

    @abstractmethod
    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """The loss, a scalar function of the observed states, (observations, batch, dim)."""

    def correction(
        self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]
    ) -> Float[A, "batch dim"] | None:
        """The drift correction ½ Σ_j (∂g_j/∂y) g_j, (batch, dim): the Itô drift minus the Stratonovich drift.

        None (the default) means that it is computed by automatic differentiation.
        """
        del xp, t, y, theta

    def order_note(self, scheme: str) -> str:
        """Why a scheme may show a higher order on this problem than its own; empty if there is no reason."""
        del scheme
        return ""

    def solution(
        self, xp: Namespace, t: Scalar, W: Float[A, "batch noise_dim"], y0: Float[A, "batch dim"], theta: Theta[A]
    ) -> Float[A, "batch dim"] | None:
        """The exact state at time t, (batch, dim), as a closed form in W(t); None if there is none."""
        del xp, t, W, y0, theta
