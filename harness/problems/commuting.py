"""A linear SDE with general noise whose matrices commute: general noise with a closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import mean_squared_norm, only
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Commuting(AbstractProblem):
    """dX = A X dt + Σ_j B_j X dW_j (Itô), j = 1 … `channels`, with matrices that commute.

    Where they do, the solution is

        X(t) = exp((A − ½ Σ_j B_j²) t + Σ_j B_j W_j(t)) X0

    (Kloeden & Platen 1992, section 4.8). In Stratonovich form the drift is (A − ½ Σ_j B_j²) X.

    A and B_j have the eigenvalues a and b_j, which are the parameters, and one basis of eigenvectors, which is fixed:
    A = V diag(a) V⁻¹, V z = z + `mixing` · mean(z). So they commute at every value of the parameters, and the gradient
    of the closed form is exact; yet none is diagonal or symmetric, and g has the full shape of general noise. Both V
    and V⁻¹ y = y − mixing/(1 + mixing) · mean(y) cost O(dim). Since B_i B_j = B_j B_i the noise commutes.
    a is ½ N(0, 1) and b is ½ N(0, 1) / √channels. Loss: the squared norm, averaged.
    """

    channels: int = 4
    mixing: float = 1.0

    name = "commuting"

    def __post_init__(self) -> None:
        """Refuse no channels, and a basis that is none."""
        AbstractProblem.__post_init__(self)
        if self.channels < 1 or self.mixing <= -1:
            raise ValueError(
                f"commuting needs channels of at least 1 and mixing above -1, given {self.channels} and {self.mixing}"
            )

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """General noise only."""
        del calculus
        return only(cls.name, noise, "general")

    @property
    def noise_dim(self) -> int:
        """`channels`."""
        return self.channels

    @property
    def commutative(self) -> bool:
        """The matrices commute."""
        return True

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """Standard normal."""
        return normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """a, (dim,), and b, (channels, dim)."""
        return {
            "a": 0.5 * normals(self.dim),
            "b": 0.5 / self.channels**0.5 * normals(self.channels, self.dim),
        }

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """A X, less ½ Σ_j B_j² X in Stratonovich form."""
        del xp, t
        rate = theta["a"] if self.calculus == "ito" else theta["a"] - _half_squares(theta)
        return self._from_basis(rate * self._to_basis(y))

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """The columns B_j X, (batch, dim, channels)."""
        del xp, t
        return self._from_basis(self._to_basis(y)[:, :, None] * theta["b"].T)

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """½ Σ_j B_j² X."""
        del xp, t
        return self._from_basis(_half_squares(theta) * self._to_basis(y))

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |X|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)

    def solution(
        self, xp: Namespace, t: Scalar, W: Float[A, "batch noise_dim"], y0: Float[A, "batch dim"], theta: Theta[A]
    ) -> Float[A, "batch dim"]:
        """V exp((a − ½ Σ_j b_j²) t + Σ_j b_j W_j) V⁻¹ X0, with W of shape (batch, channels)."""
        exponent = (theta["a"] - _half_squares(theta)) * t + W @ theta["b"]
        return self._from_basis(xp.exp(exponent) * self._to_basis(y0))

    def _from_basis(self, z: Float[A, "batch dim ..."]) -> Float[A, "batch dim ..."]:
        """V z along axis 1."""
        return z + (self.mixing / self.dim) * z.sum(1)[:, None]

    def _to_basis(self, y: Float[A, "batch dim"]) -> Float[A, "batch dim"]:
        """V⁻¹ y along axis 1."""
        return y - (self.mixing / (1.0 + self.mixing) / self.dim) * y.sum(1)[:, None]


def _half_squares(theta: Theta[A]) -> Float[A, " dim"]:
    """½ Σ_j b_j²."""
    return 0.5 * (theta["b"] * theta["b"]).sum(0)
