"""torchdiffeq's gradient methods for ODEs (version 0.2; github.com/rtqichen/torchdiffeq)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.clock import Clock
from harness.grid import Grid
from harness.initial import initial_values
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._library import scheme_refusal
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

# torchdiffeq's `rk4` is Kutta's 3/8-rule, not the classical scheme.
SOLVERS = {"heun": "heun2", "euler": "euler", "midpoint": "midpoint", "rk4-38": "rk4"}


def _refusal(case: Case) -> str | None:
    if case.noise != "none":
        return "torchdiffeq solves ODEs: noise none only"
    return scheme_refusal("torchdiffeq", SOLVERS, case)


def _build(problem: AbstractProblem, case: Case, solve: Callable[..., Any], *, adjoint: bool) -> Callable[[], Gradient]:
    """One solve and gradient by `solve`, torchdiffeq's odeint or odeint_adjoint."""
    import torch

    kind: dict[str, Any] = {"dtype": getattr(torch, case.dtype), "device": torch.device(case.device)}
    y0_value, values = initial_values(problem, case.batch, case.seed)
    y0 = torch.tensor(y0_value, **kind).requires_grad_()
    theta = {name: torch.tensor(value, **kind).requires_grad_() for name, value in values.items()}
    grid_points = Grid.of_case(problem, case)
    times = torch.tensor(Clock(grid_points, case.dtype).times, **kind)
    ts = times[[0, *grid_points.observed]]

    def grid(func: Any, y0: Any, t: Any) -> Any:
        """The case's grid between the ends of t, in their order: torchdiffeq's own may have one step more."""
        del func, y0
        start, stop = torch.searchsorted(times, t[[0, -1]]).tolist()
        return times[start : stop + 1] if start < stop else times[stop : start + 1].flip(0)

    options: dict[str, Any] = {"method": SOLVERS[case.scheme], "options": {"grid_constructor": grid}}
    if adjoint:
        options["adjoint_params"] = tuple(theta.values())

    def drift(t: Any, y: Any) -> Any:
        return problem.drift(torch, t, y, theta)

    def run() -> Gradient:
        ys = solve(drift, y0, ts, **options)
        loss = problem.loss(torch, ys[1:])
        y0_bar, *theta_bar = torch.autograd.grad(loss, [y0, *theta.values()], materialize_grads=True)
        return Gradient(loss.detach(), dict(zip(theta, theta_bar, strict=True)), y0_bar)

    return run


class Backprop(AbstractGradientMethod):
    """`torchdiffeq.odeint`, differentiated by autograd."""

    name = "torchdiffeq/backprop"
    framework = "torch"
    summary = "odeint, backpropagated through"
    step_seconds = 4e-4

    def unsupported(self, case: Case) -> str | None:
        """ODEs only."""
        return _refusal(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        from torchdiffeq import odeint

        return _build(problem, case, odeint, adjoint=False)


class Adjoint(AbstractGradientMethod):
    """`torchdiffeq.odeint_adjoint` (Chen et al. 2018), with the forward scheme backwards."""

    name = "torchdiffeq/adjoint"
    framework = "torch"
    summary = "odeint_adjoint, the continuous adjoint"
    exact = False
    step_seconds = 1e-3

    def unsupported(self, case: Case) -> str | None:
        """ODEs only."""
        return _refusal(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        from torchdiffeq import odeint_adjoint

        return _build(problem, case, odeint_adjoint, adjoint=True)
