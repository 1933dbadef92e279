"""A case in tensors: y0, θ, its times, f and g, and the gradient of its loss. For native methods and for libraries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import torch
from jaxtyping import Float
from torch import Tensor

from harness.arrays import Scalar
from harness.case import Case
from harness.clock import Clock
from harness.grid import Grid
from harness.initial import initial_values
from harness.method import Gradient
from harness.problem import AbstractProblem


@dataclass(frozen=True, eq=False)
class CaseTensors:
    """y0 and θ by name, on the case's device and in its precision: leaves that require a gradient."""

    problem: AbstractProblem
    case: Case
    y0: Float[Tensor, "batch dim"]
    theta: dict[str, Tensor]

    @classmethod
    def of(cls, problem: AbstractProblem, case: Case) -> CaseTensors:
        """With the problem's own y0 and θ."""
        y0, theta = initial_values(problem, case.batch, case.seed)
        kind = kind_of(case)
        return cls(
            problem,
            case,
            torch.tensor(y0, **kind).requires_grad_(),
            {name: torch.tensor(value, **kind).requires_grad_() for name, value in theta.items()},
        )

    def grid(self) -> Float[Tensor, " steps+1"]:
        """The grid points in the case's precision: the numbers that all native methods evaluate at."""
        times = Clock(Grid.of_case(self.problem, self.case), self.case.dtype).times
        return torch.tensor(times, **kind_of(self.case))

    def observed(self) -> Float[Tensor, " observations+1"]:
        """The observed times in the case's precision, t0 first: numbers of `grid`."""
        return self.grid()[[0, *Grid.of_case(self.problem, self.case).observed]]

    def observed_exactly(self) -> Float[Tensor, " observations+1"]:
        """The observed times in float64, t0 first: for a library that adds up its steps."""
        grid = Grid.of_case(self.problem, self.case)
        times = [grid.t0, *grid.observed_times()]
        return torch.tensor(times, dtype=torch.float64, device=torch.device(self.case.device))

    def step_of_a_sum(self) -> float:
        """The step for a library that goes by t + dt until it has reached t1, and cuts its last step there.

        Where (t1 − t0) / steps isn't exact in binary, the sum could stop short of t1 and a sliver of a step be added.
        So the step is longer by a part in 10¹².
        """
        dt = (self.problem.t1 - self.problem.t0) / self.case.steps
        power_of_two = self.case.steps & (self.case.steps - 1) == 0
        return dt if power_of_two else dt * (1 + 1e-12)

    def drift(self, t: Scalar, y: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """f."""
        return self.problem.drift(torch, t, y, self.theta)

    def diffusion(self, t: Scalar, y: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch ..."]:
        """g in the shape that the problem's noise has."""
        return self.problem.diffusion(torch, t, y, self.theta)

    def drift_and_diffusion(
        self, t: Scalar, y: Float[Tensor, "batch dim"]
    ) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch ..."]]:
        """Both at once, for a problem that `shares` work between them."""
        return self.problem.drift_and_diffusion(torch, t, y, self.theta)

    def gradient(self, ys: Float[Tensor, "observations batch dim"]) -> Gradient:
        """The gradient of the loss of the observed states, by autograd."""
        loss = self.problem.loss(torch, ys)
        y0, *theta = torch.autograd.grad(loss, [self.y0, *self.theta.values()], materialize_grads=True)
        return Gradient(loss.detach(), dict(zip(self.theta, theta, strict=True)), y0)


class Kind(TypedDict):
    """Precision and device, as arguments of what makes a tensor."""

    dtype: torch.dtype
    device: torch.device


def kind_of(case: Case) -> Kind:
    """Those of a case."""
    return {"dtype": getattr(torch, case.dtype), "device": torch.device(case.device)}
