"""A solver whose states are looked at: how large they become tells whether a scheme is stable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Tensor
from torch.utils._pytree import tree_leaves

from harness.models.torch.call import OdeCall, SdeCall
from harness.models.torch.solve import AbstractSolver
from harness.torch._state import State

S = TypeVar("S")


@dataclass
class Watched(AbstractSolver):
    """`largest` is the largest absolute entry of the last solve's states; not a number where one of them isn't."""

    solver: AbstractSolver
    largest: float | None = None

    def sde(self, call: SdeCall) -> Tensor | tuple[Tensor, Tensor]:
        """As `solver` does."""
        return self._seen(self.solver.sde(call))

    def ode(self, call: OdeCall) -> State:
        """As `solver` does."""
        return self._seen(self.solver.ode(call))

    def _seen(self, states: S) -> S:
        self.largest = float(np.max([float(x.detach().abs().max()) for x in tree_leaves(states)]))
        return states
