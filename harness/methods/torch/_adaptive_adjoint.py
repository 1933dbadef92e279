"""Adaptive steps of the adjoint equation backwards, PyTorch: with every stage of their own, or the first one known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from harness.arithmetic import combine, minus
from harness.methods.torch._adjoint import AdjointStep
from harness.methods.torch._solve import TorchSolve
from harness.methods.torch._vjp import vjp
from harness.scheme import State
from harness.stepping.chained import Chained
from harness.stepping.estimate import AbstractEstimate

Increment = Tensor | None
"""dW of a step, (batch, noise_dim); None for an ODE."""
Errors = Sequence[Tensor] | None
"""Of each controlled array of a state, where the scheme tells them of a single step."""


class AbstractBackwardSteps(ABC):
    """Steps of (y, a, ∂L/∂θ so far, …), a tuple of tensors, from t to t − dt."""

    def __init__(self, solve: TorchSolve) -> None:
        self.solve = solve

    @abstractmethod
    def begin(self, t: float, y: Tensor, a: Tensor, theta: Sequence[Tensor]) -> State[Tensor]:
        """What a first step from t starts from."""

    @abstractmethod
    def step(self, t: float, dt: float, state: State[Tensor], dW: Increment) -> tuple[State[Tensor], Errors]:
        """The state at t − dt, and the errors of y and a."""

    @abstractmethod
    def compared(self, t: float, dt: float, state: State[Tensor], dW: Increment) -> tuple[State[Tensor], Errors]:
        """As `step`, of y and a alone: for a step that is only compared with two halves."""

    def adjoints(self, state: State[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """a, and ∂L/∂θ so far."""
        return state[1], list(state[2 : 2 + len(self.solve.parameters)])


class BackwardSteps(AbstractBackwardSteps):
    """Each with all of its stages."""

    def __init__(self, solve: TorchSolve, estimate: AbstractEstimate) -> None:
        super().__init__(solve)
        self.estimate = estimate
        self.tableau = estimate.tableau()
        self.adjoint = AdjointStep(solve, self.tableau)

    def begin(self, t: float, y: Tensor, a: Tensor, theta: Sequence[Tensor]) -> State[Tensor]:
        """Nothing more."""
        del t
        return y, a, *theta

    def step(self, t: float, dt: float, state: State[Tensor], dW: Increment) -> tuple[State[Tensor], Errors]:
        """∂L/∂θ included."""
        theta = [x.clone() for x in state[2:]]
        end, errors = self._change(t, dt, state[:2], dW, theta)
        return (*end, *theta), errors

    def compared(self, t: float, dt: float, state: State[Tensor], dW: Increment) -> tuple[State[Tensor], Errors]:
        """Without products by θ."""
        return self._change(t, dt, state[:2], dW, None)

    def _change(
        self, t: float, dt: float, state: State[Tensor], dW: Increment, theta: list[Tensor] | None
    ) -> tuple[State[Tensor], Errors]:
        y, a = state

        def stage(i: int, increments: list[Tensor]) -> Tensor:
            return combine(minus(self.tableau.a[i]), increments, y)

        increments, products = self.adjoint.stages(t, dt, dW, a, theta, stage)
        end = combine(minus(self.tableau.b), increments, y), combine(self.tableau.b, products, a)
        return end, self.estimate.errors(increments, products)


class ChainedBackwardSteps(AbstractBackwardSteps):
    """Of an ODE, by a pair whose last stage is the next step's first: f, aᵀ ∂f/∂y and aᵀ ∂f/∂θ are handed on.

    They stand at the end of the state.
    """

    def __init__(self, solve: TorchSolve, estimate: Chained) -> None:
        super().__init__(solve)
        self.estimate = estimate
        self.tableau = estimate.tableau()

    def begin(self, t: float, y: Tensor, a: Tensor, theta: Sequence[Tensor]) -> State[Tensor]:
        """With the first stage."""
        return y, a, *theta, *self._stage(t, y, a, by_theta=True)

    def step(self, t: float, dt: float, state: State[Tensor], dW: Increment) -> tuple[State[Tensor], Errors]:
        """The last stage, at t − dt, has no weight, but has all that the next step needs of it."""
        del dW
        count = len(self.solve.parameters)
        y0, a0, *rest = state
        theta, f, product, products_by_theta = rest[:count], rest[count], rest[count + 1], rest[count + 2 :]
        y, a, stages, products = y0, a0, [f], [product]
        rows = zip(self.tableau.a, self.tableau.b, self.tableau.c, strict=True)
        for number, (row, weight, c) in enumerate(rows):
            if number:
                y, a = combine(minus(row), stages, y0, by=dt), combine(row, products, a0, by=dt)
                by_theta = weight != 0 or number == len(self.tableau.b) - 1
                f, product, *products_by_theta = self._stage(t - c * dt, y, a, by_theta=by_theta)
                stages.append(f)
                products.append(product)
            if weight:
                theta = torch._foreach_add(theta, products_by_theta, alpha=dt * weight)
        errors = self.estimate.errors(stages, products, by=dt)
        return (y, a, *theta, f, product, *products_by_theta), errors

    def compared(self, t: float, dt: float, state: State[Tensor], dW: Increment) -> tuple[State[Tensor], Errors]:
        """No step of a pair is only compared."""
        return self.step(t, dt, state, dW)

    def _stage(self, t: float, y: Tensor, a: Tensor, *, by_theta: bool) -> list[Tensor]:
        """f, and its products with a."""
        y = y.detach().requires_grad_()
        with torch.enable_grad():
            f = self.solve.terms.f(t, y)
        wanted = [y, *self.solve.parameters] if by_theta else [y]
        return [f.detach(), *vjp((f,), wanted, (a,))]
