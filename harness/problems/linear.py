"""A linear ODE with constant coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.problem import AbstractProblem, Theta
from harness.problems._forms import mean_squared_norm, only
from harness.random import Normals


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

    def drift(self, xp: Any, t: Any, y: Any, theta: Theta) -> Any:
        """y A."""
        del xp, t
        return y @ theta["A"]

    def diffusion(self, xp: Any, t: Any, y: Any, theta: Theta) -> Any:
        """There is none."""
        raise NotImplementedError("an ODE has no diffusion")

    def loss(self, xp: Any, ys: Any) -> Any:
        """Mean of |y|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)

    def solution(self, xp: Any, t: Any, W: Any, y0: Any, theta: Theta) -> Any:
        """y0 exp(tA)."""
        del W
        return y0 @ _matrix_exponential(xp, theta["A"] * t)


def _matrix_exponential(xp: Any, A: Any) -> Any:
    """exp(A), by the library that `xp` belongs to."""
    if xp.__name__ == "torch":
        return xp.linalg.matrix_exp(A)
    if xp.__name__ == "jax.numpy":
        from jax.scipy.linalg import expm

        return expm(A)
    from scipy.linalg import expm

    return expm(A)
