"""Backpropagation along states that a backward sweep reconstructs, PyTorch: memory O(1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from harness.methods.torch._differentiable import Sweep
from harness.methods.torch._solve import TorchSolve, leaves
from harness.methods.torch._vjp import vjp
from harness.scheme import State

Adjoint = list[Any]
"""What the loss's gradient is by each array of a state, in their order; None where the state has none."""


def by_reconstruction(solve: TorchSolve, reverse: Callable[[int, State], State]) -> Sweep:
    """Solve forwards and keep the observed states alone, then step back from the final one.

    `reverse(n, state)` is the state that step n started from. One vector–Jacobian product of the forward step is
    taken from there.
    """

    def back(n: int, state: State, adjoint: Adjoint, theta: list[Any]) -> tuple[State, Adjoint]:
        with torch.no_grad():
            before = reverse(n, state)
        inputs = leaves(before)
        found = vjp(solve.step(n, inputs), [*inputs, *solve.parameters], adjoint)
        torch._foreach_add_(theta, found[len(inputs) :])
        return before, found[: len(inputs)]

    return sweep(solve, back)


def sweep(solve: TorchSolve, back: Callable[[int, State, Adjoint, list[Any]], tuple[State, Adjoint]]) -> Sweep:
    """Forwards, then `back(n, state, adjoint, theta)` for n = N − 1 … 0, which adds to `theta` in place.

    It takes the state and the adjoint after step n to those before it.
    """

    def forward() -> tuple[list[Tensor], State]:
        ys: list[Tensor] = []
        return ys, solve.observe(solve.init(solve.y0), 0, solve.steps, ys)

    def backward(state: State, cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        theta = solve.zeros_theta()
        adjoint: Adjoint = [None if x is None else torch.zeros_like(x) for x in state]
        for n in reversed(range(solve.steps)):
            k = solve.observation(n + 1)
            if k is not None:
                adjoint[0] = adjoint[0] + cotangents[k]
            state, adjoint = back(n, state, adjoint, theta)
        return solve.pull_back_init(adjoint, theta), theta

    return Sweep(solve, forward, backward)
