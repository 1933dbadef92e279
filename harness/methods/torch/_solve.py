"""What the native PyTorch methods share: the tensors of a case, the forward loop, the loss and its cotangents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.brownian.path import SharedPath
from harness.brownian.torch_noise import NoiseSource, make_noise
from harness.case import Case
from harness.clock import Clock
from harness.grid import Grid
from harness.method import Gradient
from harness.methods.torch._cuda_graph import captured
from harness.methods.torch._tensors import CaseTensors
from harness.methods.torch._vjp import vjp
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, State
from harness.stepping import stepping_of
from harness.terms import Terms


class TorchSolve:
    """A case in tensors, with the steps that it has, `stepping`.

    With `stratonovich` an Itô problem is solved in its Stratonovich form, whose drift has the exact correction.
    Where steps are fixed, step n goes from `time(n)` to `time(n + 1)` and has the length `dt(n)`.
    """

    def __init__(
        self,
        problem: AbstractProblem,
        scheme: AbstractScheme,
        case: Case,
        y0: Float[Tensor, "batch dim"],
        theta: Mapping[str, Tensor],
        noise: NoiseSource,
        *,
        stratonovich: bool = False,
    ) -> None:
        self.problem = problem
        self.scheme = scheme
        self.steps = case.steps
        self.stepping = stepping_of(problem, scheme, case)
        self.grid = Grid.of_case(problem, case)
        self.y0 = y0
        self.theta = theta
        self.parameters: list[Tensor] = list(theta.values())
        self.clock = Clock.of(self.stepping, case.dtype)
        self.times_of_grid: list[float] = Clock(self.grid, case.dtype).times.tolist()
        self._lengths: list[float] = self.grid.lengths.tolist()
        self._observations: dict[int, int] = {n: k for k, n in enumerate(self.grid.observed.tolist())}
        self.terms = Terms(torch, problem, self.theta, stratonovich, self.clock)
        self.noise = noise

    @classmethod
    def of(cls, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None) -> Self:
        """With the problem's own y0 and θ, and the noise that the case asks for."""
        tensors = CaseTensors.of(problem, case)
        stepping = stepping_of(problem, scheme, case)
        noise = make_noise(case, problem.noise_dim, stepping, path, levy_area=scheme.needs_levy_area)
        return cls(problem, scheme, case, tensors.y0, tensors.theta, noise)

    def time(self, n: int) -> float:
        """The time of grid point n."""
        return self.times_of_grid[n]

    def dt(self, n: int) -> float:
        """The length of step n."""
        return self._lengths[n]

    def init(self, y0: Float[Tensor, "batch dim"]) -> State[Tensor]:
        """The scheme's state at t0. A run begins here, and draws its noise anew."""
        self.noise.forget()
        return self.scheme.init(self.terms, self.problem.t0, y0)

    def step(self, n: int, state: State[Tensor]) -> State[Tensor]:
        """The state after step n."""
        return self.scheme.step(self.terms, self.time(n), self.dt(n), state, self.noise[n])

    def advance(self, state: State[Tensor], start: int, stop: int) -> State[Tensor]:
        """The state after the steps start … stop − 1."""
        for n in range(start, stop):
            state = self.step(n, state)
        return state

    def observe(self, state: State[Tensor], start: int, stop: int, ys: list[Tensor]) -> State[Tensor]:
        """As `advance`, adding to `ys` the states observed on the way, the last one's among them."""
        for n in range(start, stop):
            state = self.step(n, state)
            if n + 1 in self._observations:
                ys.append(state[0])
        return state

    def pull_back(
        self,
        adjoint: Sequence[Tensor | None],
        theta: list[Tensor],
        state: State[Tensor],
        start: int,
        stop: int,
        cotangents: Sequence[Tensor],
    ) -> list[Tensor]:
        """The cotangent of `state`, that before step `start`, given `adjoint`, that after step stop − 1.

        The steps are run again from `state` with one graph. What they give to the parameters is added to `theta` in
        place. States observed on the way, that after the last step among them, receive their own of `cotangents` too.
        """
        inputs, ys = leaves(state), []
        outputs = self.observe(inputs, start, stop, ys)
        first = int(np.searchsorted(self.grid.observed, start, side="right"))
        bars = [*adjoint, *cotangents[first : first + len(ys)]]
        found = vjp([*outputs, *ys], [*inputs, *self.parameters], bars)
        torch._foreach_add_(theta, found[len(inputs) :])
        return found[: len(inputs)]

    def pull_back_init(self, adjoint: Sequence[Tensor | None], theta: list[Tensor]) -> Tensor:
        """∂L/∂y0 from the cotangent of the scheme's first state; `theta` is added to in place."""
        y0, *products = vjp(self.init(self.y0), [self.y0, *self.parameters], adjoint)
        torch._foreach_add_(theta, products)
        return y0

    def cuts(self, length: int) -> list[int]:
        """Grid points that cut the steps into pieces of so many, the last one shorter: 0 first, N last."""
        return [*range(0, self.steps, length), self.steps]

    def observation(self, n: int) -> int | None:
        """The index of the observation at grid point n, None where there is none."""
        return self._observations.get(n)

    def loss_cotangents(self, ys: Sequence[Tensor]) -> tuple[Float[Tensor, ""], tuple[Tensor, ...]]:
        """The loss, and its gradient with respect to each observed state."""
        with torch.enable_grad():
            stacked = torch.stack(list(ys)).requires_grad_()
            loss = self.problem.loss(torch, stacked)
            (cotangent,) = torch.autograd.grad(loss, stacked)
        return loss.detach(), cotangent.unbind()

    def zeros_theta(self) -> list[Tensor]:
        """An accumulator of ∂L/∂θ."""
        return [torch.zeros_like(p) for p in self.parameters]

    def ready(self, run: Callable[[], Gradient]) -> Callable[[], Gradient]:
        """`run` as it is on a CPU; on a CUDA device a graph of it, whose kernels are launched together.

        Adaptive steps depend on numbers that are read while solving, which a graph can't.
        """
        if self.y0.device.type != "cuda" or not isinstance(self.stepping, Grid):
            return run
        return captured(run)

    def gradient(
        self,
        loss: Float[Tensor, ""],
        y0: Float[Tensor, "batch dim"],
        theta: Iterable[Tensor],
        evaluations: int | None = None,
    ) -> Gradient:
        """Name the parts."""
        return Gradient(loss, dict(zip(self.theta, theta, strict=True)), y0, evaluations)


def no_cotangents(state: State[Tensor]) -> list[Tensor]:
    """Zeros, what a final state receives but for the loss; None where the state has None."""
    return [x if x is None else torch.zeros_like(x) for x in state]


def leaves(state: State[Tensor]) -> State[Tensor]:
    """The same values, each the start of a graph of its own; None stays None."""
    return tuple(x if x is None else x.detach().requires_grad_() for x in state)
