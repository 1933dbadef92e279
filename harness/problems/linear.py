"""A linear ODE with constant coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.lazy import lazily
from harness.problem import AbstractProblem
from harness.problems._forms import mean_squared_norm, only
from harness.random import Normals

if TYPE_CHECKING:
    import jax.scipy.linalg as jax_linalg
    import scipy.linalg as scipy_linalg
    from jaxtyping import Float
else:
    jax_linalg, scipy_linalg = lazily("jax.scipy.linalg", "scipy.linalg")


@dataclass(frozen=True, kw_only=True)
class Linear(AbstractProblem):
    """dy/dt = y A, with y(t) = y0 exp(tA) (a row vector's convention; Hairer, Nørsett & Wanner 1993, section I.12).

    A is −½ I plus a random matrix of spectral radius about `coupling`. Loss: the squared norm, averaged.
    """

    coupling: float = 1.0

    name = "linear"

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """No noise."""
        del calculus
        return only(cls.name, noise, "none")

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """Standard normal."""
        return normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """A, (dim, dim)."""
        return {"A": self.coupling * normals(self.dim, self.dim) / self.dim**0.5 - 0.5 * np.eye(self.dim)}

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """y A."""
        del xp, t
        return y @ theta["A"]

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """There is none."""
        raise NotImplementedError("an ODE has no diffusion")

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |y|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)

    def solution(
        self, xp: Namespace, t: Scalar, W: Float[A, "batch noise_dim"], y0: Float[A, "batch dim"], theta: Theta[A]
    ) -> Float[A, "batch dim"]:
        """y0 exp(tA)."""
        del W
        return y0 @ _matrix_exponential(xp, theta["A"] * t)


def _matrix_exponential(xp: Namespace, matrix: Float[A, "dim dim"]) -> Float[A, "dim dim"]:
    """exp(matrix), by the library that `xp` belongs to."""
    if xp.__name__ == "torch":
        return xp.linalg.matrix_exp(matrix)
    if xp.__name__ == "jax.numpy":
        return jax_linalg.expm(matrix)
    return xp.asarray(scipy_linalg.expm(matrix))
