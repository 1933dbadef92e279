"""Backpropagation along states that a backward sweep reconstructs, PyTorch: memory O(1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from harness.methods.torch._differentiable import Sweep
from harness.methods.torch._solve import TorchSolve, leaves
from harness.methods.torch._vjp import vjp
from harness.scheme import State

Adjoint = list[Tensor]
"""What the loss's gradient is by each array of a state, in their order; None where the state has None."""
Back = Callable[[int, State[Tensor], Adjoint, list[Tensor]], tuple[State[Tensor], Adjoint]]
"""(n, state, adjoint, theta) -> the state and the adjoint before step n, from those after it; adds to `theta` in place.
"""


def by_reconstruction(
    solve: TorchSolve, reverse: Callable[[int, State[Tensor]], State[Tensor]]
) -> Sweep[State[Tensor]]:
    """Solve forwards and keep the observed states alone, then step back from the final one.

    `reverse(n, state)` is the state that step n started from. One vector–Jacobian product of the forward step is
    taken from there.
    """

    def back(n: int, state: State[Tensor], adjoint: Adjoint, theta: list[Tensor]) -> tuple[State[Tensor], Adjoint]:
        with torch.no_grad():
            before = reverse(n, state)
        inputs = leaves(before)
        found = vjp(solve.step(n, inputs), [*inputs, *solve.parameters], adjoint)
        torch._foreach_add_(theta, found[len(inputs) :])
        return before, found[: len(inputs)]

    return sweep(solve, back)


def sweep(solve: TorchSolve, back: Back) -> Sweep[State[Tensor]]:
    """Forwards, then `back` for n = N − 1 … 0."""

    def forward() -> tuple[list[Tensor], State[Tensor]]:
        ys: list[Tensor] = []
        return ys, solve.observe(solve.init(solve.y0), 0, solve.steps, ys)

    def backward(state: State[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        theta = solve.zeros_theta()
        adjoint: Adjoint = [x if x is None else torch.zeros_like(x) for x in state]
        for n in reversed(range(solve.steps)):
            k = solve.observation(n + 1)
            if k is not None:
                adjoint[0] = adjoint[0] + cotangents[k]
            state, adjoint = back(n, state, adjoint, theta)
        return solve.pull_back_init(adjoint, theta), theta

    return Sweep(solve, forward, backward)
