"""The references of a PyTorch model: its own gradient in float64, by the native methods."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import PARTS, GradientArrays
from harness.initial import Values
from harness.measuring.framework import FRAMEWORKS
from harness.models.facts import ModelFacts
from harness.models.torch.call import OdeCall, SdeCall
from harness.models.torch.double import Double, double
from harness.models.torch.instance import Instance
from harness.models.torch.interpolated import Interpolated
from harness.models.torch.native import NativeSolver
from harness.models.torch.solve import AbstractSolver
from harness.models.torch.structure import Structure
from harness.models.torch.subject import check_parameters
from harness.models.torch.undoubled import Undoubled, same_without
from harness.reference.ode import refined as refined_ode
from harness.reference.sde import refined as refined_sde
from harness.registry import Registry
from harness.runner.child import ReferenceTarget
from harness.runner.subject import path_of
from harness.scheme import AbstractScheme
from harness.torch._drive import Shared
from harness.torch._right_hand_side import RightHandSide
from harness.torch._solve import native_method


class TorchModelReferences(ReferenceTarget):
    """Every reference is the model's own loss and autograd, with its solve done in float64 on the shared path.

    The discrete one is backpropagation through the case's own scheme and steps. The continuous one is the finest of
    several grids, with bars from their distances, as for problems: `harness.reference`.
    """

    def __init__(self, plugins: tuple[str, ...], facts: ModelFacts) -> None:
        self._registry = Registry.load(plugins)
        self._facts = facts
        self._model = facts.source.model()
        self._solved: dict[tuple[object, ...], GradientArrays] = {}

    def values(self, case: Case) -> Values:
        """The parameters alone: y0 is computed from them."""
        solver = NativeSolver(native_method("backprop"), self._registry.schemes[case.scheme], case.steps, Shared(None))
        with torch.device(case.device):
            instance = Instance(self._model, dict(self._facts.settings), case.seed, solver)
        return Values(np.zeros(0), instance.values())

    def continuous(
        self, case: Case, values: Values, path_seed: int, found: Sequence[GradientArrays], most_steps: int
    ) -> tuple[GradientArrays, dict[str, float]]:
        """By ever finer grids of the path, or ever finer equal steps of an ODE."""
        path = path_of(self._facts, case.batch, path_seed)

        def by(scheme: AbstractScheme, steps: int) -> GradientArrays:
            key = (case.problem, case.seed, path_seed, scheme.name, steps)
            if key not in self._solved:
                self._solved[key] = self.fine(case, values, scheme, steps, path)
            return self._solved[key]

        refined = refined_ode if path is None else refined_sde
        result = refined(by, self._facts, case, found=found, most_steps=most_steps)
        return result.gradient, {part: getattr(result, part) for part in PARTS}

    def discrete(self, case: Case, values: Values, path_seed: int, times: np.ndarray | None = None) -> GradientArrays:
        """Backpropagation through the same steps."""
        assert times is None  # no method for models reports steps
        path = path_of(self._facts, case.batch, path_seed)
        solver = NativeSolver.of_case(
            native_method("backprop"), self._registry.schemes[case.scheme], case, Shared(path), self._structure
        )
        if self._registry.method(case.method).interpolates and not isinstance(case.observations, int):
            return self._gradient(case, values, Interpolated(solver))
        return self._gradient(case, values, solver)

    def largest_state(self, case: Case, values: Values, path_seed: int) -> float | None:
        """It isn't known: the states are the model's own."""
        del case, values, path_seed

    def meets_a_jump(self, case: Case, values: Values, path_seed: int) -> bool:
        """That is not looked for."""
        del case, values, path_seed
        return False

    def _in_double(self, instance: Instance) -> AbstractContextManager[object]:
        """A float64 model is left as it is: what it draws in float64 must not be drawn in float32."""
        if self._facts.dtype == "float64":
            return nullcontext()
        double(instance.parameters.values())
        return Double()

    @property
    def _structure(self) -> Structure:
        return Structure(self._facts.reads_no_state, self._facts.commutes)

    def fine(
        self, case: Case, values: Values, scheme: AbstractScheme, steps: int, path: SharedPath | None
    ) -> GradientArrays:
        """The gradient of the Stratonovich form's solve with so many steps, rounded up to the observations' number."""
        if isinstance(case.observations, int):
            steps = -(-steps // case.observations) * case.observations
        return self._gradient(case, values, _Fine(Undoubled(), scheme, steps, Shared(path), structure=self._structure))

    def _gradient(self, case: Case, values: Values, solver: AbstractSolver) -> GradientArrays:
        instance = Instance(self._model, dict(self._facts.settings), case.seed, solver)
        check_parameters(instance.values(), values)
        with self._in_double(instance):
            gradient = instance.gradient()
        return FRAMEWORKS["torch"].read(gradient)


class _Fine(NativeSolver):
    """A solve of the Stratonovich form with many steps, outside of `Double` where that makes no difference."""

    def _solved(self, side: RightHandSide, start: Tensor, call: SdeCall | OdeCall) -> Tensor:
        method = self.method
        if not same_without(side, start.new_tensor(float(call.times()[0])), start.detach()):
            method = native_method("checkpoint")
        plain = NativeSolver(
            method,
            self.scheme,
            self.steps,
            self.drive,
            structure=self.structure,
            stratonovich=side.calculus == "ito",
            reads=self.reads,
        )
        return NativeSolver._solved(plain, side, start, call)
