"""A problem of my own, in PyTorch and JAX: dY = −k Y dt + s cos(Y) dW. `python -m harness run my_thing.yaml`."""

from dataclasses import dataclass

import numpy as np

from harness import AbstractProblem


@dataclass(frozen=True, kw_only=True)
class MyThing(AbstractProblem):
    """Decay with noise in each entry."""

    rate: float = 1.0  # a suite sets it: `problem: my-thing(rate=2.0)`

    name = "my-thing"

    @classmethod
    def unsupported(cls, noise, calculus):
        """Why it has no such form, in a sentence, or None."""
        return None if noise in ("none", "diagonal") else f"my-thing is for noise none and diagonal, not {noise}"

    @property
    def commutative(self):
        """g_i reads y_i alone, so that schemes of order 1 need no Lévy areas."""
        return True

    def initial(self, normals, batch):
        """y0, (batch, dim), in NumPy."""
        return normals(batch, self.dim)

    def parameters(self, normals):
        """θ by name, in NumPy: what gradients are taken of."""
        return {"k": self.rate * np.ones(self.dim), "s": 0.1 * normals(self.dim)}

    # `xp` is torch, jax.numpy or numpy: use what the three share.

    def drift(self, xp, t, y, theta):
        """f, (batch, dim)."""
        return -theta["k"] * y

    def diffusion(self, xp, t, y, theta):
        """g, (batch, dim) for diagonal noise, (batch, dim, noise_dim) for other noise."""
        return theta["s"] * xp.cos(y)

    def loss(self, xp, ys):
        """A scalar of the observed states, (observations, batch, dim)."""
        return (ys**2).mean()
