"""Geometric Brownian motions that share one Brownian motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import mean_squared_norm, only
from harness.problems._paper import sigmoid_normal
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class GBM(AbstractProblem):
    """dX_i = α_i X_i dt + β_i X_i dW (Itô), one W for all i; X_i(t) = X_i(0) exp((α_i − β_i²/2) t + β_i W(t)).

    Black & Scholes 1973; Kloeden & Platen 1992, section 4.4. In Stratonovich form the drift is (α_i − β_i²/2) X_i: the
    same process. α = sigmoid(N(0, 1)) − ½ and β = `volatility` × sigmoid(N(0, 1)). Loss: the squared norm, averaged.
    A Brownian motion for each dimension is `example1`, with diagonal noise.
    """

    volatility: float = 1.0

    name = "gbm"

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """Scalar noise only."""
        del calculus
        return only(cls.name, noise, "scalar")

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """exp of a small normal number, so that it is positive."""
        return np.exp(0.2 * normals(batch, self.dim))

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """α and β, (dim,)."""
        return {
            "alpha": sigmoid_normal(normals, self.dim) - 0.5,
            "beta": self.volatility * sigmoid_normal(normals, self.dim),
        }

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """αX, less β²X/2 in Stratonovich form."""
        drift = theta["alpha"] * y
        return drift if self.calculus == "ito" else drift - self.correction(xp, t, y, theta)

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """βX, a single column."""
        del xp, t
        return (theta["beta"] * y)[:, :, None]

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """β²X/2."""
        del xp, t
        return 0.5 * theta["beta"] * theta["beta"] * y

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |X|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)

    def solution(
        self, xp: Namespace, t: Scalar, W: Float[A, "batch noise_dim"], y0: Float[A, "batch dim"], theta: Theta[A]
    ) -> Float[A, "batch dim"]:
        """X0 exp((α − β²/2) t + βW), with W of shape (batch, 1)."""
        alpha, beta = theta["alpha"], theta["beta"]
        return y0 * xp.exp((alpha - 0.5 * beta * beta) * t + beta * W)
