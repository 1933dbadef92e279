"""An SDE in torchsde's convention, or an ODE's right-hand side, as the harness's methods want it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor

from harness.arrays import Namespace, Scalar, Theta
from harness.problem import AbstractProblem
from harness.random import Normals
from harness.torch._right_hand_side import RightHandSide

Given: TypeAlias = Any
"""Tensors: a problem's functions are declared for the arrays of every framework, the ones here take PyTorch's alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnProblem(AbstractProblem):
    """dY = f dt + g dW with functions that know their parameters. It has no initial value and no loss.

    `times` holds the scalars that stand for the times of the grid: f and g are given tensors, as torchsde does.
    """

    side: RightHandSide
    m: int
    times: dict[float, Tensor]
    like: Tensor

    name = "the SDE"

    @property
    def noise_dim(self) -> int:
        """Columns of g."""
        return self.m

    @property
    def additive(self) -> bool:
        """As its `noise_type` says, or as it was found. Each sample keeps a g of its own."""
        return self.side.noise == "additive" or self.side.reads_no_state

    @property
    def commutative(self) -> bool:
        """Additive and scalar noise does; other noise where that was found."""
        return self.additive or self.noise in ("none", "scalar") or self.side.commutes

    def drift(self, xp: Namespace, t: Scalar, y: Given, theta: Theta) -> Given:
        """f, (batch, dim)."""
        del xp, theta
        return self.side.f(self._time(t), y)

    def diffusion(self, xp: Namespace, t: Scalar, y: Given, theta: Theta) -> Given:
        """g, (batch, dim) for diagonal noise, else (batch, dim, m)."""
        del xp, theta
        assert self.side.g is not None  # or the noise is none
        return self.side.g(self._time(t), y)

    def drift_and_diffusion(self, xp: Namespace, t: Scalar, y: Given, theta: Theta) -> tuple[Given, Given]:
        """By `f_and_g`, where there is one."""
        if self.side.both is None:
            return self.drift(xp, t, y, theta), self.diffusion(xp, t, y, theta)
        return self.side.both(self._time(t), y)

    @property
    def shares(self) -> bool:
        """Whether it has an `f_and_g`."""
        return self.side.both is not None

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """It is the caller's."""
        raise NotImplementedError

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """They are the functions' own."""
        raise NotImplementedError

    def loss(self, xp: Namespace, ys: Given) -> Given:
        """It is the caller's."""
        raise NotImplementedError

    def _time(self, t: float) -> Tensor:
        found = self.times.get(t)
        return self.like.new_tensor(t) if found is None else found
