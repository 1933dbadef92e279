"""Predator and prey: an ODE with closed orbits."""

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
class LotkaVolterra(AbstractProblem):
    """du/dt = αu − βuv, dv/dt = δuv − γv; dim / 2 independent pairs (u, v), dim even.

    Lotka 1925, Volterra 1926; Hairer, Lubich & Wanner 2006, section I.1.1. Along a solution δu − γ log u + βv − α log v
    is constant. (α, β, γ, δ) = (3/2, 1, 3, 1), the values of Rackauckas et al. 2019 (arXiv 1902.02376), times a number
    near 1 for each pair. From (1, 1) an orbit takes 3.3 and the prey peak at 1.9; t1 = 2.
    Loss: the squared norm, averaged.
    """

    name = "lotka-volterra"
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
        """exp of a small normal number, so that it is positive."""
        return np.exp(0.1 * normals(batch, self.dim))

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """α, β, γ and δ, (dim / 2,)."""
        values = {"alpha": 1.5, "beta": 1.0, "gamma": 3.0, "delta": 1.0}
        return {name: value * np.exp(0.1 * normals(self.dim // 2)) for name, value in values.items()}

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """The field of each pair."""
        del t
        pairs = y.reshape(y.shape[0], -1, 2)
        u, v = pairs[:, :, 0], pairs[:, :, 1]
        du = u * (theta["alpha"] - theta["beta"] * v)
        dv = v * (theta["delta"] * u - theta["gamma"])
        return xp.stack([du, dv], -1).reshape(y.shape)

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """There is none."""
        raise NotImplementedError("an ODE has no diffusion")

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |(u, v)|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)
