"""What a child measures: a problem of the harness or of a plugin, or a user's own model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.initial import Values, with_values
from harness.lazy import lazily
from harness.measuring.checks import check_gradient, check_problem, check_times, with_checked_states
from harness.measuring.framework import FRAMEWORKS
from harness.method import Gradient
from harness.models.facts import ModelFacts
from harness.problem import AbstractProblem
from harness.registry import Registry

if TYPE_CHECKING:
    from harness.models.jax import subject as _jax_subject
    from harness.models.torch import subject as _torch_subject
else:
    _jax_subject, _torch_subject = lazily("harness.models.jax.subject", "harness.models.torch.subject")


class AbstractSubject(ABC):
    """A case's gradient as something to build and to check."""

    @abstractmethod
    def build(self, path: SharedPath | None) -> Callable[[], Gradient]:
        """Do all that happens once. Without a path the method draws its own noise."""

    @abstractmethod
    def build_checked(self, path: SharedPath | None) -> Callable[[], Gradient]:
        """The same on the shared path, with a check of what the loss is given."""

    @abstractmethod
    def check(self, gradient: Gradient) -> None:
        """Its shapes, names and precision. Raises ProblemError."""

    @abstractmethod
    def path(self, seed: int) -> SharedPath | None:
        """The shared path with a seed, None for an ODE."""


def subject_of(case: Case, registry: Registry, values: Values, model: ModelFacts | None) -> AbstractSubject:
    """The case's model, where it has one, else its problem with the values that its block has."""
    if model is None:
        return ProblemSubject(case, registry, values)
    if model.framework == "jax":
        return _jax_subject.JaxModelSubject(case, registry, values, model)
    return _torch_subject.TorchModelSubject(case, registry, values, model)


def path_of(problem: AbstractProblem, batch: int, seed: int) -> SharedPath | None:
    """The shared path of a problem or of a model."""
    if problem.noise == "none":
        return None
    return SharedPath(seed, batch, problem.noise_dim, problem.t0, problem.t1)


class ProblemSubject(AbstractSubject):
    """A problem, written once for all frameworks."""

    def __init__(self, case: Case, registry: Registry, values: Values) -> None:
        self._case, self._values = case, values
        self._method = registry.method(case.method)
        self._scheme = registry.schemes[case.scheme]
        self._framework = FRAMEWORKS[self._method.framework]
        self._problem = with_values(registry.problem_of(case), values)
        check_problem(self._problem, values, case, self._framework)
        self._checked = with_checked_states(self._problem, case)  # once: what is compiled for it serves every path

    def build(self, path: SharedPath | None) -> Callable[[], Gradient]:
        """By the method."""
        return self._method.build(self._problem, self._scheme, self._case, path)

    def build_checked(self, path: SharedPath | None) -> Callable[[], Gradient]:
        """With an eye on the shape of the states."""
        return self._method.build(self._checked, self._scheme, self._case, path)

    def check(self, gradient: Gradient) -> None:
        """Of the parameters and of y0, and of the steps that a method reports."""
        if not self._method.baseline:
            check_gradient(gradient, self._values, self._case, self._framework)
            check_times(gradient, self._problem, self._case)

    def path(self, seed: int) -> SharedPath | None:
        """Of the problem."""
        return path_of(self._problem, self._case.batch, seed)
