"""Example 3 of Li et al. 2020: additive noise with coefficients that depend on time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import diagonal_matrix, only
from harness.problems._paper import mean_of_sums, sigmoid_normal
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Example3(AbstractProblem):
    """dX = (β/√(1+t) − X/(2(1+t))) dt + αβ/√(1+t) dW; X(t) = (X0 + βt + αβW(t)) / √(1+t). Li et al. 2020, section 7.1.

    (Check: d(√(1+t) X) = X/(2√(1+t)) dt + √(1+t) dX = β dt + αβ dW.) Both calculi agree, since g doesn't depend on X.
    Each dimension has its own Brownian motion; as `additive` noise g is the diagonal matrix written out.
    α, β ~ σ(N(0, 1)) and X0 ~ N(0, 1), each entry by itself.
    """

    name = "example3"

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """Additive noise, written as a matrix or as a diagonal."""
        del calculus
        return only(cls.name, noise, "additive", "diagonal")

    @property
    def additive(self) -> bool:
        """Written as a diagonal or as a matrix, g doesn't depend on y."""
        return True

    def order_note(self, scheme: str) -> str:
        """Superconvergence."""
        del scheme
        return "∫W dt, which an increment alone doesn't tell, cancels in the solution, and with it the leading error"

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """Standard normal."""
        return normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """α and β, (dim,)."""
        return {"alpha": sigmoid_normal(normals, self.dim), "beta": sigmoid_normal(normals, self.dim)}

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """β/√(1+t) − X/(2(1+t))."""
        del xp
        return theta["beta"] * (1.0 + t) ** -0.5 - y * (0.5 / (1.0 + t))

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """αβ/√(1+t), as a diagonal or as a diagonal matrix."""
        diagonal = theta["alpha"] * theta["beta"] * (1.0 + t) ** -0.5
        if self.noise == "diagonal":
            return xp.broadcast_to(diagonal, y.shape)
        return diagonal_matrix(xp, diagonal, y)

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """Zero."""
        del t, theta
        return xp.zeros_like(y)

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """The sum over dimensions."""
        del xp
        return mean_of_sums(ys)

    def solution(
        self, xp: Namespace, t: Scalar, W: Float[A, "batch noise_dim"], y0: Float[A, "batch dim"], theta: Theta[A]
    ) -> Float[A, "batch dim"]:
        """(X0 + βt + αβW) / √(1+t)."""
        del xp
        alpha, beta = theta["alpha"], theta["beta"]
        return (y0 + beta * t + alpha * beta * W) * (1.0 + t) ** -0.5
