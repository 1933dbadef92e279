"""Many derivatives of one solve, or many solves, abreast, PyTorch: a leading axis of directions, or of (θ, y0).

Each step is mapped over that axis on its own, so that nothing is kept of the steps before it and the noise is drawn
once, outside of the map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from harness.methods.torch._solve import TorchSolve
from harness.scheme import State
from harness.terms import Terms

NUMBERS = 2**16  # about as many make up the states of one chunk
Tensors = tuple[Tensor, ...]
"""θ in the order of a solve's parameters, or a direction of it, or a state."""
Value = TypeVar("Value", Tensor, Tensors)


def chunks(count: int, numbers: int) -> list[range]:
    """Cut 0 … count − 1 into chunks of nearly equal length, each index standing for so many numbers."""
    pieces = -(-count // max(1, NUMBERS // numbers))
    length = -(-count // pieces)
    return [range(start, min(start + length, count)) for start in range(0, count, length)]


def unflatten(
    solve: TorchSolve, flat: Float[Tensor, "count parameters+rest"]
) -> tuple[Tensors, Float[Tensor, "count rest"]]:
    """Cut each row into θ's parts, each (count, *shape of the parameter), and the rest."""
    sizes = [p.numel() for p in solve.parameters]
    *parts, rest = flat.split([*sizes, flat.shape[1] - sum(sizes)], 1)
    theta = tuple(part.reshape(-1, *p.shape) for part, p in zip(parts, solve.parameters, strict=True))
    return theta, rest


def derivatives(
    function: Callable[..., Value], at: Sequence[Tensor | Tensors], along: Sequence[Tensor | Tensors]
) -> tuple[Value, Value]:
    """`function(*at)`, and its derivatives in directions: `along` has the shapes of `at` with a leading axis."""

    def one(*direction: Tensor | Tensors) -> tuple[Value, Value]:
        value, derivative, *_ = torch.func.jvp(function, tuple(at), direction)
        return value, derivative

    out_dims: Any = (None, 0)  # the value is the same along every direction; torch's annotation lacks None
    return torch.func.vmap(one, out_dims=out_dims)(*along)


class Abreast:
    """The steps of a solve as functions of (state, θ), what a state lacks (None) left out."""

    def __init__(self, solve: TorchSolve) -> None:
        self._solve = solve
        self._y0 = solve.y0.detach()
        self._theta = tuple(p.detach() for p in solve.parameters)
        with torch.no_grad():
            self._present = [x is not None for x in solve.init(solve.y0)]

    def tangents(
        self, theta_seeds: Tensors, y0_seeds: Float[Tensor, "count batch dim"]
    ) -> Iterator[tuple[Float[Tensor, "batch dim"], Float[Tensor, "count batch dim"]]]:
        """At each observation y, and its derivatives in the directions given.

        `theta_seeds` are each (count, *shape of the parameter).
        """

        solve = self._solve
        solve.noise.forget()
        state, tangents = derivatives(self._init, (self._y0, self._theta), (y0_seeds, theta_seeds))
        for n in range(solve.steps):
            state, tangents = derivatives(self._step(n), (state, self._theta), (tangents, theta_seeds))
            if solve.observation(n + 1) is not None:
                yield state[0], tangents[0]

    def states(
        self, theta: Tensors, y0: Float[Tensor, "count batch dim"]
    ) -> Iterator[Float[Tensor, "count batch dim"]]:
        """At each observation y of every solve; θ has that leading axis too."""
        solve = self._solve
        solve.noise.forget()
        state = torch.func.vmap(self._init)(y0, theta)
        for n in range(solve.steps):
            state = torch.func.vmap(self._step(n))(state, theta)
            if solve.observation(n + 1) is not None:
                yield state[0]

    def _init(self, y0: Tensor, theta: Tensors) -> State[Tensor]:
        state = self._solve.scheme.init(self._terms(theta), self._solve.problem.t0, y0)
        return tuple(x for x in state if x is not None)

    def _step(self, n: int) -> Callable[[State[Tensor], Tensors], State[Tensor]]:
        solve, dW = self._solve, self._solve.noise[n]

        def step(state: State[Tensor], theta: Tensors) -> State[Tensor]:
            values = iter(state)
            whole: Any = tuple(next(values) if present else None for present in self._present)  # a state may hold None
            after = solve.scheme.step(self._terms(theta), solve.time(n), solve.dt(n), whole, dW)
            return tuple(x for x in after if x is not None)

        return step

    def _terms(self, theta: Tensors) -> Terms:
        return Terms(
            torch, self._solve.problem, dict(zip(self._solve.theta, theta, strict=True)), clock=self._solve.clock
        )
