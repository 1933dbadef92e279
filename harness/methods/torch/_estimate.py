"""An estimate of a gradient from derivatives along given directions, PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.method import Gradient
from harness.methods.torch._abreast import Abreast, derivatives
from harness.methods.torch._solve import TorchSolve


class EstimatedGradient:
    """One forward solve with a tangent for each direction."""

    def __init__(self, solve: TorchSolve, y0: np.ndarray, theta: Mapping[str, np.ndarray]) -> None:
        self._solve = solve
        self._abreast = Abreast(solve)
        self._y0 = torch.as_tensor(y0).to(solve.y0)
        self._theta = tuple(torch.as_tensor(theta[name]).to(solve.y0) for name in solve.theta)

    def __call__(self) -> Gradient:
        """The mean of the estimates; the sample variance of one over their number, averaged over coordinates."""
        found = list(self._abreast.tangents(self._theta, self._y0))
        ys = torch.stack([y for y, _ in found])
        tangents = torch.stack([tangent for _, tangent in found], 1)  # (directions, observations, batch, dim)

        def loss_of(ys: Float[Tensor, "observations batch dim"]) -> Float[Tensor, ""]:
            return self._solve.problem.loss(torch, ys)

        loss, slopes = derivatives(loss_of, (ys,), (tangents,))
        count = len(slopes)
        singles = [torch.einsum("k,k...->k...", slopes, v) for v in (self._y0, *self._theta)]
        y0, *theta = (x.mean(0) for x in singles)
        coordinates = sum(x.numel() for x in (y0, *theta))
        variance = sum((x.var(0).sum() for x in singles), torch.zeros_like(loss)) / (count * coordinates)
        return replace(self._solve.gradient(loss, y0, theta), variance=variance)
