"""The stochastic Lorenz system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import diagonal_matrix, mean_squared_norm, only, require_groups
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Lorenz(AbstractProblem):
    """dX = σ(Y − X) dt, dY = (X(ρ − Z) − Y) dt, dZ = (XY − βZ) dt, each plus noise; dim is a multiple of 3.

    Lorenz 1963; with noise Li et al. 2020, section 7.2. `additive`: α_i dW_i, as there. `diagonal`: α_i X_i dW_i (Itô),
    in Stratonovich form with the drift less ½ α_i² X_i: the same process. `none`: the ODE.
    dim / 3 independent copies, each with its own σ, ρ, β, that start at the fields, and one α for each variable, at
    `volatility`. A copy starts near (5, 5, 25), close to the attractor. The largest Lyapunov exponent is 0.9; on
    [0, ½] a gradient grows by a small factor, so that chaos doesn't hide what a method does. Loss: |y / 10|², averaged.
    """

    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8.0 / 3.0
    volatility: float = 0.15

    name = "lorenz"
    t1: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a dimension that isn't a multiple of 3."""
        AbstractProblem.__post_init__(self)
        require_groups(self.name, self.dim, 3)

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """The ODE, additive and diagonal noise."""
        del calculus
        return only(cls.name, noise, "none", "additive", "diagonal")

    @property
    def commutative(self) -> bool:
        """g_i reads y_i alone."""
        return True

    def order_note(self, scheme: str) -> str:
        """Schemes of order 3/2 with additive noise: the term of order 2 leads at first.

        Per step the scheme leaves out iterated integrals times α² f″ and α f′², of standard deviations of about α² h²
        and α |f′|² h^5/2; f″ is 1, the field being bilinear. Over the solve they sum to α² h^3/2 and α |f′|² h², which
        are equal at h = (α / |f′|²)². At α = 20 the median of |f′| over paths and times is 18, a tenth lies above 27:
        h is 4e-3 there, and 8e-4. Magnitudes alone; the constants of both terms are left out.
        """
        if self.noise == "additive" and scheme in ("srk", "slowrk"):
            return "the term of order 2 weighs as much as that of 3/2 at h = (α / |f′|²)², 4e-3 at α = 20, |f′| = 18"
        return ""

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """(5, 5, 25) in each copy, plus a standard normal."""
        return np.tile([5.0, 5.0, 25.0], self.dim // 3) + normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """σ, ρ and β, (dim / 3,), and α, (dim,)."""
        del normals
        copies = self.dim // 3
        theta = {
            "sigma": np.full(copies, self.sigma),
            "rho": np.full(copies, self.rho),
            "beta": np.full(copies, self.beta),
        }
        if self.noise != "none":
            theta["alpha"] = np.full(self.dim, self.volatility)
        return theta

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """The Lorenz field of each copy, less ½ α² X in Stratonovich form."""
        parts = y.reshape(y.shape[0], -1, 3)
        X, Y, Z = parts[:, :, 0], parts[:, :, 1], parts[:, :, 2]
        field = xp.stack([theta["sigma"] * (Y - X), X * (theta["rho"] - Z) - Y, X * Y - theta["beta"] * Z], -1).reshape(
            y.shape
        )
        if self.noise == "diagonal" and self.calculus == "stratonovich":
            return field - self.correction(xp, t, y, theta)
        return field

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """αX, or α as a diagonal matrix."""
        del t
        return theta["alpha"] * y if self.noise == "diagonal" else diagonal_matrix(xp, theta["alpha"], y)

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """½ α² X; zero where g doesn't depend on X."""
        del t
        return 0.5 * theta["alpha"] * theta["alpha"] * y if self.noise == "diagonal" else xp.zeros_like(y)

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |y / 10|² over observations and batch."""
        del xp
        return 0.01 * mean_squared_norm(ys)
