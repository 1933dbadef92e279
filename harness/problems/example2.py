"""Example 2 of Li et al. 2020: a bounded process with a trigonometric diffusion."""

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
class Example2(AbstractProblem):
    """dX = −p² sin X cos³X dt + p cos²X dW (Itô); X(t) = arctan(pW(t) + tan X0). Li et al. 2020, section 7.1.

    With Y = tan X the process is Y = pW + tan X0, so its Stratonovich drift is exactly zero. (Check: Itô's formula
    on arctan has the first derivative cos²X and the second −2 sin X cos³X, half of which, times p², is the drift.)
    p ~ σ(N(0, 1)) and X0 ~ 0.2 N(0, 1), each entry by itself.
    """

    name = "example2"

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
        """Small, away from the poles of tan."""
        return 0.2 * normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """p, (dim,)."""
        return {"p": sigmoid_normal(normals, self.dim)}

    def order_note(self, scheme: str) -> str:
        """SlowRK's superconvergence."""
        if scheme != "slowrk":
            return ""
        return "the Stratonovich drift is zero, and SlowRK then the classical Runge–Kutta scheme in W: order 2"

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """−p² sin X cos³X, zero in Stratonovich form."""
        if self.calculus == "stratonovich":
            return 0.0 * theta["p"] * y
        return self.correction(xp, t, y, theta)

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """p cos²X."""
        del t
        cos = xp.cos(y)
        return theta["p"] * cos * cos

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """½ g ∂g/∂X = −p² sin X cos³X, the Itô drift itself."""
        del t
        cos = xp.cos(y)
        return -theta["p"] * theta["p"] * xp.sin(y) * cos * cos * cos

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """The sum over dimensions."""
        del xp
        return mean_of_sums(ys)

    def solution(
        self, xp: Namespace, t: Scalar, W: Float[A, "batch noise_dim"], y0: Float[A, "batch dim"], theta: Theta[A]
    ) -> Float[A, "batch dim"]:
        """arctan(pW + tan X0)."""
        del t
        return xp.arctan(theta["p"] * W + xp.tan(y0))
