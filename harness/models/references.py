"""The references of a user's own model, in whichever framework it is written."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import PARTS, GradientArrays, relative_error
from harness.initial import Values
from harness.models.facts import ModelFacts
from harness.reference.adaptive_grid import NoStepsError
from harness.reference.bars import Reference
from harness.reference.discrete_reference import JUMPED, SHIFT
from harness.reference.grid_solve import FineGrid
from harness.reference.ode import SCHEME, compared
from harness.reference.ode import refined as refined_ode
from harness.reference.sde import refined as refined_sde
from harness.registry import Registry
from harness.runner.child import ReferenceTarget
from harness.runner.subject import path_of
from harness.scheme import AbstractScheme


class AbstractModelReferences(ReferenceTarget):
    """What the references of all models have in common: the continuous one, and why errors may be large.

    Fine solves are kept, since the blocks of a suite share them: they have one model, one path and other steps.
    """

    def __init__(self, plugins: tuple[str, ...], facts: ModelFacts) -> None:
        self.registry = Registry.load(plugins)
        self.facts = facts
        self._solved: dict[tuple[object, ...], GradientArrays] = {}
        self._controlled: dict[int, tuple[GradientArrays, GradientArrays] | str] = {}

    @abstractmethod
    def fine(
        self, case: Case, values: Values, scheme: AbstractScheme, steps: int, path: SharedPath | None
    ) -> GradientArrays:
        """The gradient of the Stratonovich form's solve with so many steps, rounded up to the observations' number."""

    @abstractmethod
    def controlled(self, case: Case, values: Values) -> tuple[FineGrid, GradientArrays]:
        """The steps of `controlled_grid` for the model's ODE, and the gradient of the solve at them.

        Raises NoStepsError where steps can't be controlled.
        """

    @abstractmethod
    def on_grid(self, case: Case, values: Values, grid: FineGrid) -> GradientArrays:
        """The gradient of an ODE's solve at these steps."""

    def steps_are_known(self, case: Case) -> bool:
        """Whether the discrete solve can be done again: a library doesn't tell the adaptive steps that it accepts."""
        return case.stepping == "fixed" or self.registry.backends[case.backend].native

    def rounding(self, case: Case) -> float:
        """The smallest bar, where the model can't be evaluated to the precision of float64."""
        del case
        return 0.0

    def continuous(
        self, case: Case, values: Values, path_seed: int, found: Sequence[GradientArrays], most_steps: int
    ) -> tuple[GradientArrays, dict[str, float]]:
        """By ever finer grids of the path; of an ODE by controlled steps, or ever finer equal ones."""
        path = path_of(self.facts, case.batch, path_seed)

        def by(scheme: AbstractScheme, steps: int) -> GradientArrays:
            key = (case.problem, case.seed, path_seed, scheme.name, steps)
            if key not in self._solved:
                self._solved[key] = self.fine(case, values, scheme, steps, path)
            return self._solved[key]

        if path is None:
            result = self._of_ode(by, case, values, found, most_steps)
        else:
            result = refined_sde(by, self.facts, case, found=found, most_steps=most_steps)
        rounding = self.rounding(case)
        return result.gradient, {part: max(getattr(result, part), rounding) for part in PARTS}

    def _of_ode(
        self,
        by: Callable[[AbstractScheme, int], GradientArrays],
        case: Case,
        values: Values,
        found: Sequence[GradientArrays],
        most_steps: int,
    ) -> Reference:
        if case.seed not in self._controlled:
            self._controlled[case.seed] = self._whole_and_halved(case, values)
        controlled = self._controlled[case.seed]
        if isinstance(controlled, str):
            return refined_ode(by, self.facts, case, found=found, most_steps=most_steps)
        return compared(*controlled, lambda steps: by(SCHEME, steps), case, found=found, most_steps=most_steps)

    def _whole_and_halved(self, case: Case, values: Values) -> tuple[GradientArrays, GradientArrays] | str:
        """The gradients at controlled steps and at these cut in two; why not, where there are no such steps."""
        try:
            grid, whole = self.controlled(case, values)
        except NoStepsError as error:
            return " ".join(str(error).split())
        halved = self.on_grid(case, values, grid.halved())
        return (whole, halved) if whole.finite() and halved.finite() else "the gradient isn't finite there"

    def remark(self, case: Case) -> str:
        """That the steps of an ODE were equal, and why."""
        found = self._controlled.get(case.seed)
        if not isinstance(found, str):
            return ""
        return f"its reference has equal steps, which may miss what is short in time, since {found}"

    @abstractmethod
    def discrete(
        self, case: Case, values: Values, path_seed: int, times: np.ndarray | None = None, *, shift: float = 0.0
    ) -> GradientArrays | None:
        """The discrete reference; with f and g evaluated `shift` later than they should be."""

    def largest_state(self, case: Case, values: Values, path_seed: int) -> float | None:
        """Of the states at the observed times; None where steps are adaptive."""
        found = None if case.stepping == "adaptive" else self.discrete(case, values, path_seed)
        return None if found is None else found.largest

    def meets_a_jump(self, case: Case, values: Values, path_seed: int) -> bool:
        """Whether the solve's gradient is another one if f and g are evaluated just before or after the same times."""
        here = self.discrete(case, values, path_seed)
        for sign in (1, -1):
            shift = sign * SHIFT * (self.facts.t1 - self.facts.t0)
            moved = self.discrete(case, values, path_seed, shift=shift)
            if here is not None and moved is not None and relative_error(moved.theta, here.theta) > JUMPED:
                return True
        return False


def rounded_up(case: Case, steps: int) -> int:
    """At least so many steps, that equally spaced observations divide."""
    return -(-steps // case.observations) * case.observations if isinstance(case.observations, int) else steps
