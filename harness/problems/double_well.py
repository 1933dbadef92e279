"""Noise in a double-well potential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import diagonal_matrix, mean_squared_norm, only
from harness.problems._paper import sigmoid_normal
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class DoubleWell(AbstractProblem):
    """dX = (aX − bX³) dt + noise: down the potential bX⁴/4 − aX²/2, with wells at ±√(a/b); each dimension for itself.

    Kramers 1940; Gardiner 2009, chapter 14. `additive`: σ_i dW_i. With noise that multiplies, the stochastic
    Ginzburg–Landau equation (Kloeden & Platen 1992, section 4.4), `diagonal`: σ_i X_i dW_i, and `scalar`: σ_i X_i dW,
    one W for all (Itô; in Stratonovich form the drift is less ½ σ_i² X_i: the same process). `none`: the ODE.
    a and b start at `growth` and `damping` times a number in (½, 3/2); σ = `volatility` × sigmoid(N(0, 1)).
    The start is near the barrier at 0, so that the noise decides between the wells. Backwards in time the cubic drift
    blows up, which makes coarse backward solves diverge. Loss: the squared norm, averaged.
    """

    growth: float = 1.0
    damping: float = 1.0
    volatility: float = 1.0

    name = "double-well"

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """All but general noise."""
        del calculus
        return only(cls.name, noise, "none", "additive", "scalar", "diagonal")

    @property
    def commutative(self) -> bool:
        """g_i reads y_i alone, or there is one Brownian motion."""
        return True

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """Half a standard normal."""
        return 0.5 * normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """a, b and σ, (dim,)."""
        theta = {
            "a": self.growth * (0.5 + sigmoid_normal(normals, self.dim)),
            "b": self.damping * (0.5 + sigmoid_normal(normals, self.dim)),
        }
        if self.noise != "none":
            theta["sigma"] = self.volatility * sigmoid_normal(normals, self.dim)
        return theta

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """aX − bX³, less the correction in Stratonovich form."""
        field = y * (theta["a"] - theta["b"] * y * y)
        if self.noise in ("diagonal", "scalar") and self.calculus == "stratonovich":
            return field - self.correction(xp, t, y, theta)
        return field

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """σX as a diagonal or as a single column, or σ as a diagonal matrix."""
        del t
        if self.noise == "additive":
            return diagonal_matrix(xp, theta["sigma"], y)
        g = theta["sigma"] * y
        return g if self.noise == "diagonal" else g[:, :, None]

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """½ σ² X; zero where g doesn't depend on X."""
        del t
        if self.noise not in ("diagonal", "scalar"):
            return xp.zeros_like(y)
        return 0.5 * theta["sigma"] * theta["sigma"] * y

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |X|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)
