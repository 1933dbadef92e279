"""Solves with adaptive steps, forwards and backwards, PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.arithmetic import combine, minus
from harness.methods._backward import backward_scheme
from harness.methods.torch._adjoint import AdjointStep
from harness.methods.torch._differentiable import Sweep, Unrolled
from harness.methods.torch._solve import TorchSolve
from harness.scheme import State, increment_of
from harness.stepping import Adaptive
from harness.stepping.adaptive import Attempt

Arrive = Callable[[int, State[Tensor]], State[Tensor]]
"""(number of the observation on the solve's way, state) -> the state to go on from."""

Increment = Float[Tensor, "batch noise_dim"] | None
Errors = Sequence[Tensor] | None
"""Of each controlled array of a state, where the scheme tells them of a single step."""


@dataclass(frozen=True)
class Walked:
    """The result of a solve.

    `attempts` counts the rejected steps too, `evaluations` those of f. `finished` is false where it was given up.
    """

    state: State[Tensor]
    attempts: int
    kept: int
    evaluations: int
    finished: bool


def backprop(solve: TorchSolve) -> Unrolled:
    """Through the kept steps, whose lengths count as constants."""
    ahead, count = AdaptiveSolve(solve), Count()

    def observed(y0: Tensor) -> list[Tensor]:
        ys, walked = ahead.forward(y0)
        count.evaluations = walked.evaluations
        return ys

    return Unrolled(solve, observed, evaluations=count.read)


def adjoint(solve: TorchSolve) -> Sweep[tuple[list[Tensor], bool]]:
    """Forwards without a graph, and backwards on the same path, each with steps of its own."""
    ahead, back, count = AdaptiveSolve(solve), AdaptiveAdjoint(solve), Count()

    def forward() -> tuple[list[Tensor], tuple[list[Tensor], bool]]:
        ys, walked = ahead.forward(solve.y0)
        count.evaluations = walked.evaluations
        return ys, (ys, walked.finished)

    @torch.no_grad()
    def backward(kept: tuple[list[Tensor], bool], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        ys, finished = kept
        if finished:
            a, theta, walked = back.backward(ys, cotangents)
            count.evaluations += walked.evaluations
            if walked.finished:
                return a, theta
        y0, *theta = (torch.full_like(x, torch.nan) for x in (solve.y0, *solve.parameters))
        return y0, theta

    return Sweep(solve, forward, backward, evaluations=count.read)


@dataclass
class Count:
    """Evaluations of f in the last solve, and on its way back."""

    evaluations: int = 0

    def read(self) -> int:
        """So far."""
        return self.evaluations


class AdaptiveSolve:
    """A solve forwards; `solve` has its values, and its steps are adaptive."""

    def __init__(self, solve: TorchSolve) -> None:
        self.solve = solve
        self.ahead = adaptive_of(solve)

    def forward(self, y0: Tensor) -> tuple[list[Tensor], Walked]:
        """The observed states, with a graph over the kept steps where gradients are on.

        They are not numbers where the solve was given up.
        """
        solve, ys = self.solve, []

        def arrive(_: int, state: State[Tensor]) -> State[Tensor]:
            ys.append(state[0])
            return state

        attempt = Attempt(self.ahead, torch, self._step, self._step, quiet=torch.no_grad)
        walked = walk(solve, attempt, solve.init(y0), arrive)
        if not walked.finished:
            ys = [torch.nan * walked.state[0]] * solve.grid.count
        return ys, walked

    def _step(self, t: float, dt: float, state: State[Tensor], dW: Increment) -> tuple[State[Tensor], Errors]:
        return self.ahead.estimate.step(self.solve.terms, (t, dt), state, dW, torch.no_grad)


class AdaptiveAdjoint:
    """The adjoint equation with adaptive steps, on the same path. The errors of y and of a are controlled.

    That of ∂L/∂θ is not: it is an integral that nothing else depends on (Kidger, Chen & Lyons, "Hey, that's not an
    ODE", ICML 2021).
    """

    def __init__(self, solve: TorchSolve) -> None:
        self.solve = solve
        self.back = adaptive_of(solve).back(solve.problem, backward_scheme(solve.scheme, solve.problem))
        self.tableau = self.back.estimate.tableau()
        self.adjoint = AdjointStep(solve, self.tableau)

    def backward(self, ys: Sequence[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor], Walked]:
        """∂L/∂y0, ∂L/∂θ. The state is reset to the forward solution at every observation."""
        last = len(ys) - 1

        def arrive(number: int, state: State[Tensor]) -> State[Tensor]:
            k = last - number
            _, a, *theta = state
            return (ys[k], a + cotangents[k], *theta) if k >= 0 else state

        attempt = Attempt(self.back, torch, self._step, self._whole, controlled=2)
        state = (ys[last], cotangents[last], *self.solve.zeros_theta())
        walked = walk(self.solve, attempt, state, arrive)
        _, a, *theta = walked.state
        return a, theta, walked

    def _step(self, t: float, dt: float, state: State[Tensor], dW: Increment) -> tuple[State[Tensor], Errors]:
        theta = [x.clone() for x in state[2:]]
        end, errors = self._change(t, dt, state[:2], dW, theta)
        return (*end, *theta), errors

    def _whole(self, t: float, dt: float, state: State[Tensor], dW: Increment) -> tuple[State[Tensor], Errors]:
        return self._change(t, dt, state[:2], dW, None)

    def _change(
        self, t: float, dt: float, state: State[Tensor], dW: Increment, theta: list[Tensor] | None
    ) -> tuple[State[Tensor], Errors]:
        y, a = state

        def stage(i: int, increments: list[Tensor]) -> Tensor:
            return combine(minus(self.tableau.a[i]), increments, y)

        increments, products = self.adjoint.stages(t, dt, dW, a, theta, stage)
        end = combine(minus(self.tableau.b), increments, y), combine(self.tableau.b, products, a)
        return end, self.back.estimate.errors(increments, products)


def adaptive_of(solve: TorchSolve) -> Adaptive:
    """The adaptive steps of a solve that has such."""
    assert isinstance(solve.stepping, Adaptive)
    return solve.stepping


def walk(solve: TorchSolve, attempt: Attempt, state: State[Tensor], arrive: Arrive) -> Walked:
    """From one end to the other."""
    adaptive = attempt.adaptive
    way, noise, halves = adaptive.way, solve.noise, adaptive.estimate.halves
    place, proposal, previous = 0, adaptive.first, 1.0
    attempts = kept = 0
    W = increment_of(noise[way.tick(0)])
    while place < adaptive.ticks.count and kept < adaptive.most:
        length, unit = adaptive.length(np, proposal, place)
        length = int(length)
        middle = increment_of(noise[way.tick(place + length // 2)]) if halves else None
        end = increment_of(noise[way.tick(place + length)])
        parts, error = attempt(float(way.time(np, place)), float(length * unit), state, (W, middle, end))
        fits, proposal, previous = adaptive.control(np, length, unit, float(error), previous)
        attempts += 1
        if fits:
            kept += 1
            place, W, state = place + length, end, parts[-1]
            met, number = way.met(np, place)
            if met:
                state = arrive(int(number), state)
    evaluations = attempts * adaptive.estimate.evaluations(solve.problem.noise)
    return Walked(state, attempts, kept, evaluations, place == adaptive.ticks.count)
