"""A neural SDE: drift and diffusion are two-layer perceptrons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arithmetic import affine
from harness.arrays import A, Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.problems._forms import mean_squared_norm
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Neural(AbstractProblem):
    """f(y) = tanh(y A + a) B + b and g of the same form, with `width` hidden units each.

    Diagonal noise: g has dim outputs, g_i reading all of y, so the noise doesn't commute. Scalar and general noise:
    dim × m outputs, with m = 1 and m = `channels`. Additive noise: dim × `channels` outputs, and g reads t in
    place of y. Loss: the squared norm of the observed states, averaged over batch and observations.
    The setting is that of Li et al. 2020 (section 7.1 has the paper's own test problems) with weights of variance
    1 / inputs, which keeps the solution bounded in probability since tanh is.
    """

    width: int = 32
    channels: int = 4

    name = "neural"

    def __post_init__(self) -> None:
        """Refuse sizes below one."""
        AbstractProblem.__post_init__(self)
        if self.width < 1 or self.channels < 1:
            raise ValueError(f"width and channels must be at least 1, given {self.width} and {self.channels}")

    @property
    def noise_dim(self) -> int:
        """`channels` for additive and general noise."""
        return {"none": 0, "scalar": 1, "diagonal": self.dim}.get(self.noise, self.channels)

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """Standard normal."""
        return normals(batch, self.dim)

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """Weights of variance 1 / inputs (g's outputs scaled by ½), biases of standard deviation 0.1."""
        d, w = self.dim, self.width
        theta = {
            "f_w1": normals(d, w) / d**0.5,
            "f_b1": 0.1 * normals(w),
            "f_w2": normals(w, d) / w**0.5,
            "f_b2": 0.1 * normals(d),
        }
        if self.noise == "none":
            return theta
        inputs = 1 if self.noise == "additive" else d
        outputs = d if self.noise == "diagonal" else d * self.noise_dim
        scale = 0.5 / (1.0 if self.noise == "diagonal" else self.noise_dim) ** 0.5
        return theta | {
            "g_w1": normals(inputs, w) / inputs**0.5,
            "g_b1": 0.1 * normals(w),
            "g_w2": scale * normals(w, outputs) / w**0.5,
            "g_b2": scale * 0.5 * normals(outputs),
        }

    def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """(batch, dim)."""
        del t
        return affine(xp.tanh(affine(y, theta["f_w1"], theta["f_b1"])), theta["f_w2"], theta["f_b2"])

    def diffusion(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch ..."]:
        """(batch, dim) for diagonal noise, else (batch, dim, m)."""
        if self.noise == "additive":
            hidden = xp.tanh(t * theta["g_w1"] + theta["g_b1"])
            matrix = affine(hidden, theta["g_w2"], theta["g_b2"]).reshape(1, self.dim, self.noise_dim)
            return xp.broadcast_to(matrix, (y.shape[0], self.dim, self.noise_dim))
        out = affine(xp.tanh(affine(y, theta["g_w1"], theta["g_b1"])), theta["g_w2"], theta["g_b2"])
        return out if self.noise == "diagonal" else out.reshape(y.shape[0], self.dim, self.noise_dim)

    def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
        """Mean of |y|² over observations and batch."""
        del xp
        return mean_squared_norm(ys)

    def correction(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
        """½ Σ_j (∂g_j/∂y) g_j written out for the perceptron: no automatic differentiation needed."""
        if self.noise in ("none", "additive"):
            return xp.zeros_like(y)
        hidden = xp.tanh(affine(y, theta["g_w1"], theta["g_b1"]))
        slope = 1 - hidden * hidden
        g = self.diffusion(xp, t, y, theta)
        if self.noise == "diagonal":
            return 0.5 * g * (slope @ (theta["g_w1"].T * theta["g_w2"]))
        m = self.noise_dim
        inner = slope[:, :, None] * (theta["g_w1"].T @ g)  # (batch, width, m): slope · A g_j
        weights = theta["g_w2"].reshape(self.width, self.dim, m)
        total = inner[:, :, 0] @ weights[:, :, 0]
        for j in range(1, m):
            total = total + inner[:, :, j] @ weights[:, :, j]
        return 0.5 * total
