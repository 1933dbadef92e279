"""A solve of an ODE at given steps, and the choice of these by the errors of the solution and of a sensitivity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from harness.case import Case
from harness.models.controlled import controlled_grid, directions
from harness.models.facts import ModelFacts
from harness.models.torch.call import OdeCall, SdeCall
from harness.models.torch.native import NativeSolver
from harness.models.torch.solve import AbstractSolver
from harness.models.torch.undoubled import outside_modes, same_without
from harness.reference.adaptive_grid import NoStepsError
from harness.reference.grid_solve import FineGrid
from harness.torch._reads import Reads
from harness.torch._right_hand_side import RightHandSide
from harness.torch._state import State


@dataclass
class Controlled(AbstractSolver):
    """`solver` at the steps of `grid`, or where that is None at controlled ones, which it becomes."""

    solver: NativeSolver
    facts: ModelFacts
    case: Case
    grid: FineGrid | None = field(default=None)

    def sde(self, call: SdeCall) -> Tensor | tuple[Tensor, Tensor]:
        """There is no control for noise."""
        raise NotImplementedError

    def ode(self, call: OdeCall) -> State:
        """The states at the times that are asked for. Raises NoStepsError where steps can't be controlled."""
        if self.grid is None:
            self.grid = self._chosen(call)
        times = -self.grid.times if call.decreasing else self.grid.times
        states = replace(self.solver, steps=self.grid.steps).ode(replace(call, ts=times))
        picked = [0, *self.grid.observed.tolist()]
        return tree_map(lambda x: x[picked], states)

    def _chosen(self, call: OdeCall) -> FineGrid:
        side, y0 = call.side(), call.start().detach()
        first = y0.new_tensor(self.facts.t0)
        context = outside_modes() if same_without(side, first, y0) else nullcontext()
        with context:
            _, read = Reads().of(side, y0, [first, y0.new_tensor(self.facts.t1)], call.params)
            chosen = directions([x.detach().cpu().numpy() for x in read], self.case.seed)
            rates = _with_sensitivity(side, y0, read, [y0.new_tensor(x) for x in chosen])
            return controlled_grid(rates, self.facts, self.case, y0.cpu().numpy())


def _with_sensitivity(
    side: RightHandSide, like: Tensor, read: Sequence[Tensor], directions: Sequence[Tensor]
) -> Callable[[float, np.ndarray], np.ndarray]:
    """f, and its derivative along u in y and along `directions` in what it reads: (2, rows, columns) of (y, u).

    f closes over its parameters, so that its forward derivative is the derivative of wᵀ ∂f by w.
    """

    def rates(t: float, state: np.ndarray) -> np.ndarray:
        with torch.enable_grad():
            y, u = like.new_tensor(state).unbind()
            f = side.f(like.new_tensor(t), y.requires_grad_())
            if not f.requires_grad:
                return np.stack([f.cpu().numpy(), np.zeros(f.shape)])
            try:
                u_dot = _derivative_along(f, [y, *read], [u, *directions])
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:  # autograd has no type of its own for what is differentiable once
                raise NoStepsError(f"f has no second derivative: {error}") from error
        return torch.stack([f.detach(), u_dot]).cpu().numpy()

    return rates


def _derivative_along(f: Tensor, inputs: Sequence[Tensor], directions: Sequence[Tensor]) -> Tensor:
    """By two derivatives backwards, which every operation of a model that can be trained is likely to have."""
    w = torch.zeros_like(f, requires_grad=True)
    products = torch.autograd.grad(f, inputs, w, create_graph=True, materialize_grads=True)
    along = sum((product * d).sum() for product, d in zip(products, directions, strict=True))
    assert isinstance(along, Tensor)
    (found,) = torch.autograd.grad(along, w, materialize_grads=True)
    return found
