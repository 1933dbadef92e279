"""Solves with adaptive steps, forwards and backwards, PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.arithmetic import combine, minus
from harness.brownian.path import SharedPath
from harness.brownian.torch_noise import make_path
from harness.case import Case
from harness.method import Gradient
from harness.methods._adaptive import Adaptive, Attempt, State
from harness.methods._backward import backward_scheme
from harness.methods.torch._adjoint import AdjointStep
from harness.methods.torch._solve import TorchSolve
from harness.schemes._runge_kutta import AbstractRungeKutta, stages, with_error_stage

Arrive = Callable[[int, State], State]
"""(number of the observation on the solve's way, state) -> the state to go on from."""


@dataclass(frozen=True)
class Walked:
    """What came of a solve. `attempts` counts the rejected ones too; `finished` is false where it was given up."""

    state: State
    attempts: int
    kept: int
    finished: bool


class AdaptiveSolve:
    """A case in tensors with adaptive steps; `solve` has its values."""

    def __init__(self, solve: TorchSolve, case: Case, path: SharedPath | None) -> None:
        problem = solve.problem
        self.solve = solve
        self.ahead = Adaptive.of(problem, solve.scheme, case)
        span = problem.t1 - problem.t0
        self.path = make_path(case, problem.noise_dim, self.ahead.ticks, span, path)

    def forward(self) -> tuple[list[Tensor], Walked]:
        """The states observed until it ended, with a graph over the kept steps where gradients are on."""
        solve, ys = self.solve, []

        def arrive(_: int, state: State) -> State:
            ys.append(state[0])
            return state

        attempt = Attempt(self.ahead, torch, self._step, self._step, quiet=torch.no_grad)
        return ys, self.walk(attempt, solve.init(solve.y0), arrive)

    def evaluations(self, walked: Walked) -> int:
        """Of f, in a solve forwards."""
        adaptive, scheme = self.ahead, self.solve.scheme
        count = scheme.work(self.solve.problem.noise)[0]
        if adaptive.embedded and isinstance(scheme, AbstractRungeKutta):
            count = len(with_error_stage(scheme).b)
        return walked.attempts * adaptive.evaluations(count)

    def _step(self, t: Any, dt: Any, state: State, dW: Any) -> tuple[State, Any]:
        solve, scheme = self.solve, self.solve.scheme
        if not (self.ahead.embedded and isinstance(scheme, AbstractRungeKutta)):
            return scheme.step(solve.terms, t, dt, state, dW), None
        tableau = with_error_stage(scheme)
        increments = stages(tableau, solve.terms, t, dt, state[0], dW)
        with torch.no_grad():
            error = combine(scheme.b_error or (), increments)
        return (combine(tableau.b, increments, state[0]),), (error,)

    def walk(self, attempt: Attempt, state: State, arrive: Arrive) -> Walked:
        """From one end to the other."""
        adaptive, time = attempt.adaptive, self.solve.problem.t0
        elapsed, proposal, previous = 0, adaptive.first, 1.0
        attempts = kept = 0
        W = self.path(adaptive.tick_at(0))
        while elapsed < adaptive.ticks and kept < adaptive.most:
            length = int(adaptive.length(np, proposal, elapsed))
            middle = None if adaptive.embedded else self.path(adaptive.tick_at(elapsed + length // 2))
            end = self.path(adaptive.tick_at(elapsed + length))
            t, dt = time + adaptive.tick_at(elapsed) * adaptive.tick, length * adaptive.tick
            parts, error = attempt(t, dt, state, (W, middle, end))
            fits, proposal, previous = adaptive.control(np, length, float(error), previous)
            attempts += 1
            if fits:
                kept += 1
                elapsed, W, state = elapsed + length, end, parts[-1]
                if elapsed % adaptive.stride == 0:
                    state = arrive(elapsed // adaptive.stride, state)
        return Walked(state, attempts, kept, elapsed == adaptive.ticks)


class AdaptiveAdjoint:
    """The adjoint equation with adaptive steps, on the same path. The errors of y and of a are controlled.

    That of ∂L/∂θ is not: it is an integral that nothing else depends on (Kidger, Chen & Lyons, "Hey, that's not an
    ODE", ICML 2021).
    """

    def __init__(self, adaptive: AdaptiveSolve, case: Case) -> None:
        solve = adaptive.solve
        scheme = backward_scheme(solve.scheme, solve.problem)
        self.adaptive = adaptive
        self.back = Adaptive.of(solve.problem, scheme, case, sign=-1)
        self.tableau = with_error_stage(scheme) if self.back.embedded else scheme
        self.b_error = scheme.b_error or ()
        self.adjoint = AdjointStep(solve, self.tableau)

    def backward(self, ys: Sequence[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor], Walked]:
        """∂L/∂y0, ∂L/∂θ. The state is reset to the forward solution at every observation."""
        last = len(ys) - 1

        def arrive(number: int, state: State) -> State:
            k = last - number
            _, a, theta = state
            return (ys[k], a + cotangents[k], theta) if k >= 0 else state

        attempt = Attempt(self.back, torch, self._step, self._whole, controlled=2)
        state = (ys[last], cotangents[last], self.adaptive.solve.zeros_theta())
        walked = self.adaptive.walk(attempt, state, arrive)
        return walked.state[1], walked.state[2], walked

    def evaluations(self, walked: Walked) -> int:
        """Of f, in a solve backwards."""
        return walked.attempts * self.back.evaluations(len(self.tableau.b))

    def _step(self, t: Any, dt: Any, state: State, dW: Any) -> tuple[State, Any]:
        y, a, theta = state
        theta = [x.clone() for x in theta]
        (y, a), errors = self._change(t, dt, (y, a), dW, theta)
        return (y, a, theta), errors

    def _whole(self, t: Any, dt: Any, state: State, dW: Any) -> tuple[State, Any]:
        return self._change(t, dt, state[:2], dW, None)

    def _change(self, t: Any, dt: Any, state: State, dW: Any, theta: list[Tensor] | None) -> tuple[State, Any]:
        y, a = state

        def stage(i: int, increments: list[Tensor]) -> Tensor:
            return combine(minus(self.tableau.a[i]), increments, y)

        increments, products = self.adjoint.stages(t, dt, dW, a, theta, stage)
        end = combine(minus(self.tableau.b), increments, y), combine(self.tableau.b, products, a)
        if not self.back.embedded:
            return end, None
        return end, (combine(self.b_error, increments), combine(self.b_error, products))


def backprop(solve: TorchSolve, case: Case, path: SharedPath | None) -> Callable[[], Gradient]:
    """Through the kept steps, whose lengths count as constants."""
    adaptive = AdaptiveSolve(solve, case, path)

    def run() -> Gradient:
        ys, walked = adaptive.forward()
        evaluations = adaptive.evaluations(walked)
        if not walked.finished:
            return given_up(solve, evaluations)
        loss = solve.problem.loss(torch, torch.stack(ys))
        y0, *theta = torch.autograd.grad(loss, [solve.y0, *solve.parameters], materialize_grads=True)
        return replace(solve.gradient(loss.detach(), y0, theta), evaluations=evaluations)

    return run


def adjoint(solve: TorchSolve, case: Case, path: SharedPath | None) -> Callable[[], Gradient]:
    """Forwards without a graph, and backwards on the same path, each with steps of its own."""
    ahead = AdaptiveSolve(solve, case, path)
    back = AdaptiveAdjoint(ahead, case)

    @torch.no_grad()
    def run() -> Gradient:
        ys, walked = ahead.forward()
        evaluations = ahead.evaluations(walked)
        if not walked.finished:
            return given_up(solve, evaluations)
        loss, cotangents = solve.loss_cotangents(ys)
        a, theta, walked = back.backward(ys, cotangents)
        evaluations += back.evaluations(walked)
        if not walked.finished:
            return given_up(solve, evaluations)
        return replace(solve.gradient(loss, a, theta), evaluations=evaluations)

    return run


def given_up(solve: TorchSolve, evaluations: int) -> Gradient:
    """Not a number."""
    y0, *theta = (torch.full_like(x, torch.nan) for x in (solve.y0, *solve.parameters))
    return replace(solve.gradient(y0.sum(), y0, theta), evaluations=evaluations)
