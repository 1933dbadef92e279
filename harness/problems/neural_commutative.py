"""A neural SDE whose noise commutes: every g_i reads y_i alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arithmetic import affine
from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import mean_squared_norm, only
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class NeuralCommutative(AbstractProblem):
    """f(y) = tanh(y A + a) B + b, as `neural` has it, and g_i(y) = Σ_k p_ik tanh(r_ik y_i + s_ik) + q_i.

    A net of one input for each dimension, as in the latent SDEs of Li et al. 2020 (torchsde's example latent_sde.py):
    ∂g_i/∂y_j = 0 for j ≠ i, so that the noise commutes and a scheme of order 1 needs no Lévy area. `width` hidden units
    in f, `channel_width` in each g_i. As with `neural`, f and g are the same functions in either calculus, and so the
    processes differ. Loss: the squared norm of the observed states, averaged.
    """

    width: int = 32
    channel_width: int = 8

    name = "neural-commutative"

    def __post_init__(self) -> None:
        """Refuse sizes below one."""
        AbstractProblem.__post_init__(self)
        if self.width < 1 or self.channel_width < 1:
            raise ValueError(f"width and channel_width must be at least 1, given {self.width} and {self.channel_width}")

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
        """Standard normal."""
        return normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """Weights of variance 1 / inputs (g's outputs scaled by ½), biases of standard deviation 0.1."""
        d, w, k = self.dim, self.width, self.channel_width
        return {
            "f_w1": normals(d, w) / d**0.5,
            "f_b1": 0.1 * normals(w),
            "f_w2": normals(w, d) / w**0.5,
            "f_b2": 0.1 * normals(d),
            "g_w1": normals(d, k),
            "g_b1": 0.1 * normals(d, k),
            "g_w2": 0.5 * normals(d, k) / k**0.5,
            "g_b2": 0.25 * normals(d),
        }

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """(batch, dim)."""
        del t
        return affine(xp.tanh(affine(y, theta["f_w1"], theta["f_b1"])), theta["f_w2"], theta["f_b2"])

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """(batch, dim)."""
        del t
        hidden = xp.tanh(theta["g_w1"] * y[:, :, None] + theta["g_b1"])
        return (theta["g_w2"] * hidden).sum(2) + theta["g_b2"]

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """½ g_i g_i′, with g_i′ = Σ_k p_ik r_ik (1 − tanh²)."""
        del t
        hidden = xp.tanh(theta["g_w1"] * y[:, :, None] + theta["g_b1"])
        g = (theta["g_w2"] * hidden).sum(2) + theta["g_b2"]
        slope = (theta["g_w2"] * theta["g_w1"] * (1.0 - hidden * hidden)).sum(2)
        return 0.5 * g * slope

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |y|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)
