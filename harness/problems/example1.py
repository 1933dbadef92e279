"""Example 1 of Li et al. 2020: geometric Brownian motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import only
from harness.problems._paper import mean_of_sums, sigmoid_normal
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Example1(AbstractProblem):
    """dX = αX dt + βX dW (Itô); X(t) = X0 exp((α − β²/2) t + βW(t)). Li et al. 2020, section 7.1, example 1.

    In Stratonovich form the drift is (α − β²/2) X: the same process. α, β ~ σ(N(0, 1)) and X0 ~ exp(0.2 N(0, 1)), each
    entry by itself.
    """

    name = "example1"

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """Diagonal noise only."""
        del calculus
        return only(cls.name, noise, "diagonal")

    @property
    def commutative(self) -> bool:
        """g_i reads y_i alone."""
        return True

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """exp of a small normal number, so that it is positive."""
        return np.exp(0.2 * normals(batch, self.dim))

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """α and β, (dim,)."""
        return {"alpha": sigmoid_normal(normals, self.dim), "beta": sigmoid_normal(normals, self.dim)}

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """αX, less β²X/2 in Stratonovich form."""
        del xp, t
        alpha, beta = theta["alpha"], theta["beta"]
        rate = alpha if self.calculus == "ito" else alpha - 0.5 * beta * beta
        return rate * y

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """βX."""
        del xp, t
        return theta["beta"] * y

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """β²X/2."""
        del xp, t
        return 0.5 * theta["beta"] * theta["beta"] * y

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """The sum over dimensions."""
        del xp
        return mean_of_sums(ys)

    def solution(
        self, xp: Namespace, t: Scalar, W: Float[A, "batch noise_dim"], y0: Float[A, "batch dim"], theta: Theta[A]
    ) -> Float[A, "batch dim"]:
        """X0 exp((α − β²/2) t + βW)."""
        alpha, beta = theta["alpha"], theta["beta"]
        return y0 * xp.exp((alpha - 0.5 * beta * beta) * t + beta * W)
