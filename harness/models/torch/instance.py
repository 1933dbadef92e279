"""A model that has been built: its loss and its parameters, computed anew with the same random numbers each time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.errors import ProblemError, shown
from harness.method import Gradient
from harness.models.declared import Model
from harness.models.torch.solve import AbstractSolver, Solve

LOSS = 1
"""Added to the seed for what the loss draws."""


def seed_everything(seed: int) -> None:
    """The generators that a model may draw from: PyTorch's, NumPy's and Python's."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


class Instance:
    """A model built with a seed, whose solves are done by `solver`. Raises ProblemError where it is malformed.

    `parameters` are those that require a gradient, by name; `frozen` counts the others.
    """

    def __init__(self, model: Model, settings: Mapping[str, object], seed: int, solver: AbstractSolver) -> None:
        self._seed = seed
        self._solve = Solve(solver)
        seed_everything(seed)
        built = model.factory(self._solve, **settings)
        if not isinstance(built, tuple) or len(built) != 2 or not callable(built[0]):
            raise ProblemError(
                f"{model.name} must return a pair: a function without arguments that gives the loss, and the"
                f" parameters; given: {shown(built)}"
            )
        if self._solve.calls:
            raise ProblemError(f"{model.name} solves while it is built: call solve within the loss that it returns")
        self._loss: Callable[[], object] = built[0]
        named = dict(_named(built[1], model.name))
        self.parameters = {name: p for name, p in named.items() if p.requires_grad}
        self.frozen = len(named) - len(self.parameters)
        if not self.parameters:
            raise ProblemError(
                f"{model.name} returns no parameter that requires a gradient; give model.parameters() as the second"
                " value"
            )

    def solve_by(self, solver: AbstractSolver) -> None:
        """From now on."""
        self._solve.solver = solver

    def loss(self) -> Tensor:
        """The loss, a scalar. Raises ProblemError where it isn't one, or wasn't made by one solve."""
        seed_everything(self._seed + LOSS)
        self._solve.calls = 0
        loss = self._loss()
        if not isinstance(loss, Tensor):
            raise ProblemError(f"the loss is {shown(loss)}; needed: a tensor with one entry")
        if loss.numel() != 1:
            raise ProblemError(f"the loss has shape {tuple(loss.shape)}; needed: a scalar, as loss.mean() is")
        if self._solve.calls != 1:
            words = "doesn't call solve" if not self._solve.calls else f"calls solve {self._solve.calls} times"
            raise ProblemError(f"the loss {words}; needed: one call of solve.sdeint or solve.odeint")
        if not loss.is_floating_point():
            raise ProblemError(f"the loss is of type {loss.dtype}; needed: real numbers")
        if not loss.requires_grad:
            raise ProblemError("the loss doesn't depend on the parameters: it has no gradient")
        return loss.reshape(())

    def gradient(self) -> Gradient[Tensor]:
        """The loss and its gradient by every parameter: zero for one that it doesn't depend on. There is no y0."""
        loss = self.loss()
        try:
            found = torch.autograd.grad(loss, list(self.parameters.values()), materialize_grads=True)
        except RuntimeError as error:
            if "backward through the graph a second time" not in str(error):
                raise
            raise ProblemError(
                "the loss uses a tensor that was computed from the parameters outside of it, or calls backward itself;"
                " compute all of it within the loss, which is evaluated many times, and leave backward out"
            ) from error
        theta = dict(zip(self.parameters, found, strict=True))
        return Gradient(loss.detach(), theta, loss.new_zeros((0,)))

    def values(self) -> dict[str, np.ndarray]:
        """The parameters, float64."""
        return {name: p.detach().cpu().double().numpy().copy() for name, p in self.parameters.items()}


def _named(parameters: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """Tensors by name: those of a module, of a mapping, of named_parameters(), or numbered."""
    if isinstance(parameters, torch.nn.Module):
        parameters = parameters.named_parameters()
    elif isinstance(parameters, Mapping):
        parameters = parameters.items()
    if not isinstance(parameters, Iterable) or isinstance(parameters, Tensor):
        raise ProblemError(
            f"the parameters of {name} are {shown(parameters)}; needed: tensors, such as model.parameters()"
        )
    seen: set[int] = set()
    for index, entry in enumerate(parameters):
        key, p = entry if isinstance(entry, tuple) and len(entry) == 2 else (f"{index:05d}", entry)
        if not isinstance(p, Tensor):
            raise ProblemError(f"a parameter of {name} is {shown(p)}; needed: a tensor")
        if not p.is_leaf:
            raise ProblemError(
                f"the parameter {key} of {name}, {tuple(p.shape)}, was computed from others; needed: leaves, such as"
                " model.parameters()"
            )
        if p.requires_grad and not p.is_floating_point():
            raise ProblemError(f"the parameter {key} of {name} is of type {p.dtype}; needed: real numbers")
        if id(p) not in seen:  # shared between modules: counted once
            seen.add(id(p))
            yield str(key), p
