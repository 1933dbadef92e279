"""The Ornstein–Uhlenbeck process."""

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
class OrnsteinUhlenbeck(AbstractProblem):
    """dX = κ(μ − X) dt + σ dW, in every dimension its own κ, μ, σ and Brownian motion.

    Uhlenbeck & Ornstein 1930; Kloeden & Platen 1992, section 4.4 (the Langevin equation). Both calculi agree.
    The solution X0 e^(−κt) + μ(1 − e^(−κt)) + σ ∫ e^(−κ(t − s)) dW(s) reads the whole path, not W(t) alone, so that
    there is no closed form here. κ = 2 `rate` sigmoid(N(0, 1)), so that `rate` is its middle value and, where large,
    makes the problem stiff; μ is normal; σ = sigmoid(N(0, 1)). Loss: the squared norm, averaged.
    As `additive` noise g is the diagonal matrix written out, as `diagonal` noise its diagonal.
    """

    rate: float = 1.0

    name = "ornstein-uhlenbeck"

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
        return "the drift is linear, so that the term of order 3/2 vanishes"

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """Standard normal."""
        return normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """κ, μ and σ, (dim,)."""
        return {
            "kappa": 2.0 * self.rate * sigmoid_normal(normals, self.dim),
            "mu": normals(self.dim),
            "sigma": sigmoid_normal(normals, self.dim),
        }

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """κ(μ − X)."""
        del xp, t
        return theta["kappa"] * (theta["mu"] - y)

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """σ, as a diagonal or as a diagonal matrix."""
        del t
        if self.noise == "diagonal":
            return xp.broadcast_to(theta["sigma"], y.shape)
        return diagonal_matrix(xp, theta["sigma"], y)

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """Zero."""
        del t, theta
        return xp.zeros_like(y)

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |X|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)
