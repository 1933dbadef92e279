"""A PyTorch model as what a child measures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.errors import ProblemError, UnsupportedError
from harness.initial import Values
from harness.library import AbstractTorchLibraryMethod
from harness.method import AbstractGradientMethod, Gradient
from harness.methods.torch._method import AbstractTorchMethod
from harness.models.facts import ModelFacts
from harness.models.torch.device import default_device
from harness.models.torch.instance import Instance
from harness.models.torch.native import NativeSolver
from harness.models.torch.solve import AbstractSolver
from harness.models.torch.structure import Structure
from harness.registry import Registry
from harness.runner.subject import AbstractSubject, path_of
from harness.scheme import AbstractScheme
from harness.torch._drive import Drawn, Shared


class TorchModelSubject(AbstractSubject):
    """The model built anew for each method and path, from one seed."""

    def __init__(self, case: Case, registry: Registry, values: Values, facts: ModelFacts) -> None:
        self._case, self._values, self._facts = case, values, facts
        self._method = registry.method(case.method)
        self._scheme = registry.schemes[case.scheme]
        self._model = facts.source.model()

    def build(self, path: SharedPath | None) -> Callable[[], Gradient]:
        """Build the model, whose parameters must be those of its block."""
        solver = solver_of(self._method, self._scheme, self._case, self._facts, path)
        with default_device(self._case.device):
            instance = Instance(self._model, dict(self._facts.settings), self._case.seed, solver)
        check_parameters(instance.values(), self._values)

        def gradient() -> Gradient:
            with default_device(self._case.device):
                return instance.gradient()

        return gradient

    def build_checked(self, path: SharedPath | None) -> Callable[[], Gradient]:
        """The same: the states go to the model's own loss."""
        return self.build(path)

    def check(self, gradient: Gradient) -> None:
        """Autograd gives every parameter's shape and precision."""

    def path(self, seed: int) -> SharedPath | None:
        """Of the model's equation."""
        return path_of(self._facts, self._case.batch, seed)


def solver_of(
    method: AbstractGradientMethod, scheme: AbstractScheme, case: Case, facts: ModelFacts, path: SharedPath | None
) -> AbstractSolver:
    """How a method solves for a model, on the path or with noise of its own."""
    if isinstance(method, AbstractTorchMethod):
        drive = Drawn(case.seed) if path is None else Shared(path)
        return NativeSolver.of_case(method, scheme, case, drive, Structure(facts.reads_no_state, facts.commutes))
    if isinstance(method, AbstractTorchLibraryMethod):
        return method.model_solver(case, path, facts.noise_dim)
    raise UnsupportedError(f"{method.name} takes no models")


def check_parameters(found: dict[str, np.ndarray], values: Values) -> None:
    """A model must start from the same parameters in every process. Raises ProblemError."""
    for name, value in values.theta.items():
        if name not in found or not np.array_equal(found[name], value):
            raise ProblemError(
                f"the model's parameter {name} is another one in every process; its random numbers must come from"
                " torch, numpy or random, which are seeded before it is built"
            )
