"""Solves with adaptive steps, forwards and backwards, PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harness.methods._backward import backward_scheme
from harness.methods.torch._adaptive_adjoint import (
    AbstractBackwardSteps,
    BackwardSteps,
    ChainedBackwardSteps,
    Errors,
    Increment,
)
from harness.methods.torch._differentiable import Sweep, Unrolled
from harness.methods.torch._solve import TorchSolve
from harness.scheme import State, increment_of
from harness.stepping import Adaptive
from harness.stepping.adaptive import Attempt
from harness.stepping.chained import Chained

Keep = Callable[["Step"], State[Tensor]]
"""A step that is kept -> the state to go on from."""


@dataclass(frozen=True)
class Step:
    """From place `start` to place `stop`, over `dt`: the state before it and that after it."""

    start: int
    stop: int
    dt: float
    before: State[Tensor]
    after: State[Tensor]


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
        dense = self.ahead.dense
        self._marks = [] if dense is None else list(zip(dense.marks().tolist(), dense.gaps().tolist(), strict=True))

    def forward(self, y0: Tensor) -> tuple[list[Tensor], Walked]:
        """The observed states, with a graph over the kept steps where gradients are on.

        They are not numbers where the solve was given up.
        """
        solve, estimate, ys = self.solve, self.ahead.estimate, []

        def keep(step: Step) -> State[Tensor]:
            ys.extend(self._observed(step, len(ys)))
            return estimate.carried(step.after)

        attempt = Attempt(self.ahead, torch, self._step, self._step, quiet=torch.no_grad)
        start = estimate.begin(solve.terms, solve.problem.t0, solve.init(y0))
        walked = walk(solve, attempt, start, keep, openings=1)
        if not walked.finished:
            ys = [torch.nan * walked.state[0]] * solve.grid.count
        return ys, walked

    def _observed(self, step: Step, passed: int) -> list[Tensor]:
        """The states that are observed within a step, or at its end; `passed` of them came before."""
        dense = self.ahead.dense
        if dense is None:
            return [step.after[0]] if self.ahead.way.met(np, step.stop)[0] else []
        _, last, *stages = step.after
        stages.append(last)
        found: list[Tensor] = []
        for mark, gap in self._marks[passed:]:
            if mark > step.stop:
                break
            part = (mark - step.start - gap) / (step.stop - step.start)
            found.append(dense.state(part, step.dt, step.before[0], stages))
        return found

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
        estimate = self.back.estimate
        self.steps: AbstractBackwardSteps = (
            ChainedBackwardSteps(solve, estimate) if isinstance(estimate, Chained) else BackwardSteps(solve, estimate)
        )

    def backward(self, ys: Sequence[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor], Walked]:
        """∂L/∂y0, ∂L/∂θ. The state is reset to the forward solution at every observation."""
        last, way, steps = len(ys) - 1, self.back.way, self.steps

        def keep(step: Step) -> State[Tensor]:
            met, number = way.met(np, step.stop)
            k = last - int(number)
            if not met or k < 0:
                return step.after
            a, theta = steps.adjoints(step.after)
            return steps.begin(float(way.time(np, step.stop)), ys[k], a + cotangents[k], theta)

        attempt = Attempt(self.back, torch, steps.step, steps.compared, controlled=2)
        state = steps.begin(float(way.time(np, 0)), ys[last], cotangents[last], self.solve.zeros_theta())
        walked = walk(self.solve, attempt, state, keep, openings=len(ys))
        return *steps.adjoints(walked.state), walked


def adaptive_of(solve: TorchSolve) -> Adaptive:
    """The adaptive steps of a solve that has such."""
    assert isinstance(solve.stepping, Adaptive)
    return solve.stepping


def walk(solve: TorchSolve, attempt: Attempt, state: State[Tensor], keep: Keep, *, openings: int) -> Walked:
    """From one end to the other. The estimate begins `openings` times, if the end is reached."""
    adaptive = attempt.adaptive
    way, noise, estimate = adaptive.way, solve.noise, adaptive.estimate
    place, proposal, previous = 0, adaptive.first, 1.0
    attempts = kept = 0
    W = increment_of(noise[way.tick(0)])
    while place < adaptive.ticks.count and kept < adaptive.most:
        length, unit = adaptive.length(np, proposal, place)
        length = int(length)
        middle = increment_of(noise[way.tick(place + length // 2)]) if estimate.halves else None
        end, dt = increment_of(noise[way.tick(place + length)]), float(length * unit)
        parts, error = attempt(float(way.time(np, place)), dt, state, (W, middle, end))
        fits, proposal, previous = adaptive.control(np, length, unit, float(error), previous)
        attempts += 1
        if fits:
            kept += 1
            state = keep(Step(place, place + length, dt, state, parts[-1]))
            place, W = place + length, end
    evaluations = attempts * estimate.evaluations(solve.problem.noise) + openings * estimate.opening
    return Walked(state, attempts, kept, evaluations, place == adaptive.ticks.count)
