"""Van der Pol's oscillator: an ODE as stiff as one likes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import mean_squared_norm, only, require_groups
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class VanDerPol(AbstractProblem):
    """dx/dt = v, dv/dt = μ(1 − x²)v − x; dim / 2 independent pairs (x, v), dim even.

    Van der Pol 1926; Hairer & Wanner 1996, section IV.1. The parameter μ, (dim / 2,), starts at the field `mu`.
    The start is near (2, 0). For large μ the Jacobian has the eigenvalue μ(1 − x²), about −3μ, there: v falls to the
    slow curve within 1/(3μ), then x creeps towards 1 for about 0.8 μ. t1 = 2, so that the interval is 6μ times that
    layer and stability asks 3μ steps of Euler's and Heun's schemes (2.2 μ of rk4), somewhat more where x0 > 2: at
    mu=100 accuracy is cheap and stability is not. Backwards the layer is growth by about e^(6μ): an adjoint that
    solves for the state again was seen to diverge at mu=10 already. Loss: the squared norm, averaged.
    """

    mu: float = 1.0

    name = "van-der-pol"
    t1: float = 2.0

    def __post_init__(self) -> None:
        """Refuse an odd dimension."""
        AbstractProblem.__post_init__(self)
        require_groups(self.name, self.dim, 2)

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """No noise."""
        del calculus
        return only(cls.name, noise, "none")

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """(2, 0) in each pair, plus a tenth of a standard normal."""
        return np.tile([2.0, 0.0], self.dim // 2) + 0.1 * normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """μ, (dim / 2,)."""
        del normals
        return {"mu": np.full(self.dim // 2, self.mu)}

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """The field of each pair."""
        del t
        pairs = y.reshape(y.shape[0], -1, 2)
        x, v = pairs[:, :, 0], pairs[:, :, 1]
        return xp.stack([v, theta["mu"] * (1.0 - x * x) * v - x], -1).reshape(y.shape)

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """There is none."""
        raise NotImplementedError("an ODE has no diffusion")

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |(x, v)|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)
