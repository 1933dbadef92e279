"""A gradient method as a differentiable solve, PyTorch: by a graph of all steps, or by a sweep back of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from harness.method import Gradient
from harness.methods.torch._solve import TorchSolve

Kept = TypeVar("Kept")
"""What a sweep back starts from."""


@dataclass(frozen=True)
class AbstractDifferentiableSolve(ABC):
    """The observed states as a function of y0 and of the parameters that `solve` has."""

    solve: TorchSolve

    @abstractmethod
    def states(self, y0: Float[Tensor, "batch dim"]) -> Float[Tensor, "observations batch dim"]:
        """The observed states, with gradients by y0 and by parameters."""

    @abstractmethod
    def gradient(self) -> Gradient:
        """That of the problem's loss, which reads the observed states alone."""


@dataclass(frozen=True)
class Unrolled(AbstractDifferentiableSolve):
    """autograd's own derivative of `observed(y0)`, the observed states.

    `evaluations()` tells how often the last call evaluated f, where that isn't known before.
    """

    observed: Callable[[Tensor], Sequence[Tensor]]
    evaluations: Callable[[], int] | None = None

    def states(self, y0: Float[Tensor, "batch dim"]) -> Float[Tensor, "observations batch dim"]:
        """As often differentiable as the steps are."""
        return torch.stack(list(self.observed(y0)))

    def gradient(self) -> Gradient:
        """One graph of solve and loss."""
        solve = self.solve
        loss = solve.problem.loss(torch, self.states(solve.y0))
        y0, *theta = torch.autograd.grad(loss, [solve.y0, *solve.parameters], materialize_grads=True)
        return solve.gradient(loss.detach(), y0, theta, self.evaluations and self.evaluations())


@dataclass(frozen=True)
class Sweep(AbstractDifferentiableSolve, Generic[Kept]):
    """A solve forwards and one back.

    `forward()` gives the observed states and what the way back starts from; `backward(kept, cotangents)`, from that and
    from what each observed state receives, ∂L/∂y0 and ∂L/∂θ by parameter. Neither is called with gradients on but for
    graphs of its own. `evaluations()` tells how often both evaluated f, where that isn't known before.
    """

    forward: Callable[[], tuple[Sequence[Tensor], Kept]]
    backward: Callable[[Kept, Sequence[Tensor]], tuple[Tensor, Sequence[Tensor]]]
    evaluations: Callable[[], int] | None = None

    def states(self, y0: Float[Tensor, "batch dim"]) -> Float[Tensor, "observations batch dim"]:
        """Once differentiable. `solve.y0` must have the values of `y0`."""
        return _Swept.apply(self, y0, *self.solve.parameters)

    def gradient(self) -> Gradient:
        """There, the loss, and back, without a graph around them."""
        with torch.no_grad():
            ys, *kept = self.forward()
        loss, cotangents = self.solve.loss_cotangents(ys)
        del ys
        y0, theta = self.backward(kept.pop(), cotangents)
        return self.solve.gradient(loss, y0, theta, self.evaluations and self.evaluations())


class _Context(Protocol):
    """What autograd hands from the way forwards to the way back, with what is set here. `kept` is empty after it."""

    sweep: Sweep[Any]
    kept: list[Any]


class _Swept(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, sweep: Sweep[Any], *inputs: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        del inputs  # y0 and the parameters, which the sweep has
        ctx.sweep = sweep
        ys, *ctx.kept = sweep.forward()
        return torch.stack(list(ys))

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, *ys_bars: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (ys_bar,) = ys_bars
        if not ctx.kept:
            raise RuntimeError("a sweep goes back once, for a first derivative: solve again, or use method='backprop'")
        with torch.enable_grad():
            y0, theta = ctx.sweep.backward(ctx.kept.pop(), ys_bar.unbind())
        return None, y0, *theta
