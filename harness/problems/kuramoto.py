"""Coupled phase oscillators with noise: a problem of any dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import diagonal_matrix, only
from harness.problems._paper import sigmoid_normal
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Kuramoto(AbstractProblem):
    """dX_i = (ω_i + (K / dim) Σ_j sin(X_j − X_i)) dt + noise, i = 1 … dim.

    Kuramoto 1975; with noise Sakaguchi 1988 (Prog. Theor. Phys. 79, 39) and Acebrón et al. 2005 (Rev. Mod. Phys. 77,
    137), section III. The sum is had through the order parameter, S = mean sin X_j and C = mean cos X_j, since
    sin(X_j − X_i) = sin X_j cos X_i − cos X_j sin X_i: the drift ω_i + K (S cos X_i − C sin X_i) costs O(dim).
    `additive`: σ_i dW_i, g being the diagonal matrix written out, O(dim²). `diagonal`: σ_i (1 + `modulation` cos X_i)
    dW_i (Itô), O(dim), whose Stratonovich form loses ½ g_i ∂g_i/∂X_i from the drift: the same process; with
    modulation=0 it is the additive noise. `none`: the ODE.
    ω is N(0, 1); K, (1,), starts at `coupling`; σ = `strength` · sigmoid(N(0, 1)). Loss: Σ_i (1 − cos X_i), averaged
    over observations and batch: how far the oscillators are from phase zero, smooth on the circle.
    """

    coupling: float = 2.0
    modulation: float = 0.5
    strength: float = 0.5

    name = "kuramoto"
    t1: float = 2.0

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        """The ODE, additive and diagonal noise."""
        del calculus
        return only(cls.name, noise, "none", "additive", "diagonal")

    @property
    def commutative(self) -> bool:
        """g_i reads y_i alone."""
        return True

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """Standard normal phases, in radians: partly synchronised."""
        return normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """ω, (dim,), K, (1,), and σ, (dim,)."""
        theta = {"omega": normals(self.dim), "K": np.array([self.coupling])}
        if self.noise != "none":
            theta["sigma"] = self.strength * sigmoid_normal(normals, self.dim)
        return theta

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """ω + K (S cos X − C sin X), less the correction in Stratonovich form."""
        sin, cos = xp.sin(y), xp.cos(y)
        S, C = sin.sum(1)[:, None] / self.dim, cos.sum(1)[:, None] / self.dim
        field = theta["omega"] + theta["K"] * (S * cos - C * sin)
        if self.noise == "diagonal" and self.calculus == "stratonovich":
            return field - self.correction(xp, t, y, theta)
        return field

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """σ (1 + modulation cos X), or σ as a diagonal matrix."""
        del t
        if self.noise == "diagonal":
            return theta["sigma"] * (1.0 + self.modulation * xp.cos(y))
        return diagonal_matrix(xp, theta["sigma"], y)

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """−½ σ² modulation sin X (1 + modulation cos X); zero where g doesn't depend on X."""
        del t
        if self.noise != "diagonal":
            return xp.zeros_like(y)
        a = self.modulation
        return (-0.5 * a) * theta["sigma"] * theta["sigma"] * xp.sin(y) * (1.0 + a * xp.cos(y))

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Σ_i (1 − cos X_i), averaged over observations and batch."""
        return (1.0 - xp.cos(ys)).sum() / (ys.shape[0] * ys.shape[1])
