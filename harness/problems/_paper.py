"""What the three test problems of Li et al. 2020 share.

"Scalable gradients for stochastic differential equations", AISTATS 2020, section 7.1: the scalar problems of
Rackauckas & Nie 2017 copied to `dim` dimensions, a parameter of each dimension the sigmoid of a normal number,
the loss the sum over dimensions (here its mean over batch and observations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import A
from harness.random import Normals

if TYPE_CHECKING:
    from jaxtyping import Float


def sigmoid_normal(normals: Normals, dim: int) -> np.ndarray:
    """The paper's parameters: σ(N(0, 1)), (dim,)."""
    return 1.0 / (1.0 + np.exp(-normals(dim)))


def mean_of_sums(ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
    """The sum over dimensions, averaged over observations and batch."""
    return ys.sum() / (ys.shape[0] * ys.shape[1])
