"""Many derivatives of one solve, or many solves, abreast, PyTorch: a leading axis of directions, or of (θ, y0).

Each step is mapped over that axis on its own, so that nothing is kept of the steps before it and the noise is drawn
once, outside of the map.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from harness.methods.torch._solve import TorchSolve
from harness.terms import Terms

NUMBERS = 2**16  # about as many make up the states of one chunk


def chunks(count: int, numbers: int) -> list[range]:
    """Cut 0 … count − 1 into chunks of nearly equal length, each index standing for so many numbers."""
    pieces = -(-count // max(1, NUMBERS // numbers))
    length = -(-count // pieces)
    return [range(start, min(start + length, count)) for start in range(0, count, length)]


def unflatten(solve: TorchSolve, flat: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
    """Cut (count, P + rest) into θ's parts, each (count, *shape of the parameter), and the rest, (count, rest)."""
    sizes = [p.numel() for p in solve.parameters]
    *parts, rest = flat.split([*sizes, flat.shape[1] - sum(sizes)], 1)
    theta = tuple(part.reshape(-1, *p.shape) for part, p in zip(parts, solve.parameters, strict=True))
    return theta, rest


class Abreast:
    """The steps of a solve as functions of (state, θ), what a state lacks (None) left out."""

    def __init__(self, solve: TorchSolve) -> None:
        self._solve = solve
        self._y0 = solve.y0.detach()
        self._theta = tuple(p.detach() for p in solve.parameters)
        with torch.no_grad():
            self._present = [x is not None for x in solve.init(solve.y0)]

    def tangents(self, theta_seeds: tuple[Tensor, ...], y0_seeds: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """At each observation y, (batch, dim), and its derivatives in the directions given, (count, batch, dim).

        `theta_seeds` are each (count, *shape of the parameter), `y0_seeds` (count, batch, dim).
        """

        def push(function: Any, state: Any, seeds: Any) -> Any:
            def one(seeds: Any, theta_seeds: Any) -> Any:
                return torch.func.jvp(function, (state, self._theta), (seeds, theta_seeds))

            out_dims: Any = (None, 0)  # the value is the same along every direction
            return torch.func.vmap(one, out_dims=out_dims)(seeds, theta_seeds)

        solve = self._solve
        solve.noise.forget()
        state, tangents = push(self._init, self._y0, y0_seeds)
        for n in range(solve.steps):
            state, tangents = push(self._step(n), state, tangents)
            if solve.observation(n + 1) is not None:
                yield state[0], tangents[0]

    def states(self, theta: tuple[Tensor, ...], y0: Tensor) -> Iterator[Tensor]:
        """At each observation y of every solve, (count, batch, dim); θ and y0 have that leading axis too."""
        solve = self._solve
        solve.noise.forget()
        state = torch.func.vmap(self._init)(y0, theta)
        for n in range(solve.steps):
            state = torch.func.vmap(self._step(n))(state, theta)
            if solve.observation(n + 1) is not None:
                yield state[0]

    def _init(self, y0: Tensor, theta: tuple[Tensor, ...]) -> Any:
        state = self._solve.scheme.init(self._terms(theta), self._solve.problem.t0, y0)
        return tuple(x for x in state if x is not None)

    def _step(self, n: int) -> Any:
        solve, dW = self._solve, self._solve.noise[n]

        def step(state: tuple[Tensor, ...], theta: tuple[Tensor, ...]) -> Any:
            values = iter(state)
            whole = tuple(next(values) if present else None for present in self._present)
            whole = solve.scheme.step(self._terms(theta), solve.time(n), solve.dt(n), whole, dW)
            return tuple(x for x in whole if x is not None)

        return step

    def _terms(self, theta: tuple[Tensor, ...]) -> Terms:
        return Terms(
            torch, self._solve.problem, dict(zip(self._solve.theta, theta, strict=True)), clock=self._solve.clock
        )
