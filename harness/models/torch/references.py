"""The references of a PyTorch model: its own gradient in float64, by the native methods."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
from torch import Tensor

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import Values
from harness.measuring.framework import FRAMEWORKS
from harness.models.facts import ModelFacts
from harness.models.references import AbstractModelReferences, rounded_up
from harness.models.torch.call import OdeCall, SdeCall
from harness.models.torch.controlled import Controlled
from harness.models.torch.device import default_device
from harness.models.torch.double import Double, double, tensors
from harness.models.torch.instance import Instance
from harness.models.torch.interpolated import Interpolated
from harness.models.torch.native import NativeSolver
from harness.models.torch.solve import AbstractSolver
from harness.models.torch.structure import Structure
from harness.models.torch.subject import check_parameters
from harness.models.torch.undoubled import Undoubled, same_without
from harness.models.torch.watched import Watched
from harness.reference.grid_solve import FineGrid
from harness.reference.ode import SCHEME
from harness.runner.subject import path_of
from harness.scheme import AbstractScheme
from harness.torch._drive import Shared
from harness.torch._right_hand_side import RightHandSide
from harness.torch._solve import native_method


class TorchModelReferences(AbstractModelReferences):
    """Every reference is the model's own loss and autograd, with its solve done in float64 on the shared path.

    The discrete one is backpropagation through the case's own scheme and steps. The continuous one is that of a fine
    grid, with bars from the distances of several, as for problems: `harness.reference`.
    """

    def __init__(self, plugins: tuple[str, ...], facts: ModelFacts) -> None:
        super().__init__(plugins, facts)
        self._before = tensors()
        self._model = facts.source.model()
        self._instances: dict[int, tuple[Instance, Values]] = {}

    def values(self, case: Case) -> Values:
        """The parameters alone: y0 is computed from them."""
        return self._built(case)[1]

    def discrete(
        self, case: Case, values: Values, path_seed: int, times: np.ndarray | None = None, *, shift: float = 0.0
    ) -> GradientArrays | None:
        """Backpropagation through the same steps, where they are known."""
        assert times is None  # no method for models reports steps
        if not self.steps_are_known(case):
            return None
        path = path_of(self.facts, case.batch, path_seed)
        scheme, drive = self.registry.schemes[case.scheme], Shared(path)
        solver = NativeSolver.of_case(native_method("backprop"), scheme, case, drive, self._structure, shift=shift)
        if self.registry.method(case.method).interpolates and not isinstance(case.observations, int):
            return self._gradient(case, values, Interpolated(solver))
        return self._gradient(case, values, solver)

    @property
    def _structure(self) -> Structure:
        return Structure(self.facts.reads_no_state, self.facts.commutes)

    def fine(
        self, case: Case, values: Values, scheme: AbstractScheme, steps: int, path: SharedPath | None
    ) -> GradientArrays:
        """By checkpoints, outside of `Double` where that makes no difference."""
        solver = _Fine(Undoubled(), scheme, rounded_up(case, steps), Shared(path), structure=self._structure)
        return self._gradient(case, values, solver)

    def controlled(self, case: Case, values: Values) -> tuple[FineGrid, GradientArrays]:
        """f is evaluated outside of `Double` where that makes no difference."""
        solver = self._at_steps(case, None)
        gradient = self._gradient(case, values, solver)
        assert solver.grid is not None  # the loss has solved
        return solver.grid, gradient

    def on_grid(self, case: Case, values: Values, grid: FineGrid) -> GradientArrays:
        """As `fine`."""
        return self._gradient(case, values, self._at_steps(case, grid))

    def _at_steps(self, case: Case, grid: FineGrid | None) -> Controlled:
        solver = _Fine(Undoubled(), SCHEME, 1, Shared(None), structure=self._structure)
        return Controlled(solver, self.facts, case, grid)

    def _gradient(self, case: Case, values: Values, solver: AbstractSolver) -> GradientArrays:
        instance, own = self._built(case)
        check_parameters(own.theta, values)
        watched = Watched(solver)
        instance.solve_by(watched)
        # A float64 model is left as it is: what it draws in float64 must not be drawn in float32.
        mode = nullcontext() if self.facts.dtype == "float64" else Double()
        with default_device(case.device), mode:
            gradient = instance.gradient()
        return replace(FRAMEWORKS["torch"].read(gradient), largest=watched.largest)

    def _built(self, case: Case) -> tuple[Instance, Values]:
        """The model in float64, and the parameters with which it was built. Built once, whatever solves for it."""
        if case.seed not in self._instances:
            solver = NativeSolver(native_method("backprop"), self.registry.schemes[case.scheme], 1, Shared(None))
            with default_device(case.device):
                instance = Instance(self._model, dict(self.facts.settings), case.seed, solver)
            built = instance, Values(np.zeros(0), instance.values())
            if self.facts.dtype != "float64":
                double(self._before)
            self._instances[case.seed] = built
        return self._instances[case.seed]


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
