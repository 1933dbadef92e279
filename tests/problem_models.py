"""The harness's own problems as models in PyTorch: what both are must come to the same."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

import harness
from harness.initial import draw
from harness.problem import AbstractProblem
from harness.registry import Registry


class Equation:
    """A problem in torchsde's convention, g being given for every sample."""

    def __init__(self, problem: AbstractProblem, theta: dict[str, Tensor]) -> None:
        self.noise_type, self.sde_type = problem.noise, problem.calculus
        self._problem, self._theta = problem, theta

    def f(self, t: Tensor, y: Tensor) -> Tensor:
        """The drift."""
        return self._problem.drift(torch, t, y, self._theta)

    def g(self, t: Tensor, y: Tensor) -> Tensor:
        """The diffusion."""
        g = self._problem.diffusion(torch, t, y, self._theta)
        return g if self.noise_type == "diagonal" else g.expand(len(y), -1, -1)


@harness.torch.model
def problem(
    solve: object,
    *,
    name: str = "neural",
    noise: str = "diagonal",
    calculus: str = "stratonovich",
    dim: int = 3,
    batch: int = 4,
    seed: int = 3,
    observations: int = 1,
    dtype: str = "float64",
) -> tuple[Callable[[], Tensor], dict[str, Tensor]]:
    """A problem with its own θ, and y0 as the last parameter, `~y0`."""
    posed = Registry.load().problem(name, noise=noise, calculus=calculus, dim=dim)
    values = draw(posed, batch, seed)
    kind = getattr(torch, dtype)
    theta = {key: torch.tensor(value, dtype=kind, requires_grad=True) for key, value in values.theta.items()}
    y0 = torch.tensor(values.y0, dtype=kind, requires_grad=True)
    equation = Equation(posed, theta)
    ts = torch.linspace(posed.t0, posed.t1, observations + 1, dtype=torch.float64)

    def loss() -> Tensor:
        if noise == "none":
            return posed.loss(torch, solve.odeint(equation.f, y0, ts)[1:])
        return posed.loss(torch, solve.sdeint(equation, y0, ts)[1:])

    return loss, {**theta, "~y0": y0}
