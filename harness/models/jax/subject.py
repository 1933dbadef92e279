"""A JAX model as what a child measures."""

from __future__ import annotations

from collections.abc import Callable

import jax

from harness.brownian.jax_noise import NoiseArgument, noise_argument
from harness.brownian.path import SharedPath
from harness.case import Case
from harness.errors import UnsupportedError
from harness.initial import Values
from harness.library import AbstractJaxLibraryMethod
from harness.method import AbstractGradientMethod, Gradient
from harness.methods.jax._method import AbstractSweepMethod
from harness.models.facts import ModelFacts
from harness.models.jax.compiled import Compiled, device_of
from harness.models.jax.instance import Instance
from harness.models.jax.native import NativeSolver
from harness.models.jax.solve import AbstractSolver
from harness.registry import Registry
from harness.runner.subject import AbstractSubject, path_of
from harness.scheme import AbstractScheme
from harness.stepping import stepping_of


class JaxModelSubject(AbstractSubject):
    """The model built once, and its gradient compiled for each kind of noise."""

    def __init__(self, case: Case, registry: Registry, values: Values, facts: ModelFacts) -> None:
        self._case, self._values, self._facts = case, values, facts
        self._method = registry.method(case.method)
        self._scheme = registry.schemes[case.scheme]
        self._model = facts.source.model()
        self._built: tuple[Instance, Compiled] | None = None

    def build(self, path: SharedPath | None) -> Callable[[], Gradient]:
        """Build the model, whose parameters must be those of its block, and compile."""
        solver = solver_of(self._method, self._scheme, self._case, self._facts)
        noise = noise_of(self._facts, self._scheme, self._case, path)
        with jax.default_device(device_of(self._case.device)):
            if self._built is None:
                instance = Instance(self._model, dict(self._facts.settings), self._case.seed)
                instance.check(self._values)
                self._built = instance, Compiled(instance)
            instance, compiled = self._built
            return compiled.gradient(solver, self._case, instance.theta, noise)

    def build_checked(self, path: SharedPath | None) -> Callable[[], Gradient]:
        """The same: the states go to the model's own loss."""
        return self.build(path)

    def check(self, gradient: Gradient) -> None:
        """JAX gives every parameter's shape and precision."""

    def path(self, seed: int) -> SharedPath | None:
        """Of the model's equation."""
        return path_of(self._facts, self._case.batch, seed)


def solver_of(method: AbstractGradientMethod, scheme: AbstractScheme, case: Case, facts: ModelFacts) -> AbstractSolver:
    """How a method solves for a model."""
    if isinstance(method, AbstractSweepMethod):
        return NativeSolver.of_case(method, scheme, case, facts)
    if isinstance(method, AbstractJaxLibraryMethod):
        return method.model_solver(case, scheme)
    raise UnsupportedError(f"{method.name} takes no models")


def noise_of(facts: ModelFacts, scheme: AbstractScheme, case: Case, path: SharedPath | None) -> NoiseArgument:
    """What a compiled gradient is called with."""
    stepping = stepping_of(facts, scheme, case)
    return noise_argument(case, facts.noise_dim, stepping, path, levy_area=scheme.needs_levy_area)
