"""The references of a JAX model: its own gradient in float64, by the native methods."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.errors import ProblemError
from harness.gradient_arrays import GradientArrays, relative_errors
from harness.grid import count_of
from harness.initial import Values
from harness.jax._solve import native_method
from harness.measuring.framework import FRAMEWORKS
from harness.models.facts import ModelFacts
from harness.models.jax.compiled import Compiled
from harness.models.jax.controlled import AtTimes, Poses, Posing, chosen
from harness.models.jax.instance import Instance
from harness.models.jax.native import NativeSolver, found_of
from harness.models.jax.precision import AbstractPrecision, Wide, precisions
from harness.models.jax.subject import noise_of
from harness.models.jax.watched import Largest, Watched
from harness.models.references import AbstractModelReferences, rounded_up
from harness.reference.grid_solve import FineGrid
from harness.reference.ode import SCHEME
from harness.runner.subject import path_of
from harness.scheme import AbstractScheme

FEW = 2
"""Steps between two observations of the solve by which precisions are compared."""
SAME_LOSS, SAME_GRADIENT = 1e-3, 0.1
"""A loss and a gradient in float64 may be so far from those in float32, relative: far more than rounding."""
PROGRAMS = 16
"""Compiled programs that are kept: one for each grid and scheme."""


class JaxModelReferences(AbstractModelReferences):
    """Every reference is the model's own loss, with its solve done in float64 on the shared path.

    The discrete one is backpropagation through the case's own scheme and steps. The continuous one is that of a fine
    grid, with bars from the distances of several, as for problems: `harness.reference`. The model is built in its own
    precision, so that it starts from the same numbers; then its parameters and its state are made float64.
    """

    def __init__(self, plugins: tuple[str, ...], facts: ModelFacts) -> None:
        os.environ["JAX_PLATFORMS"] = "cpu"
        jax.config.update("jax_platforms", "cpu")
        super().__init__(plugins, facts)
        self._is_double = facts.dtype == "float64"
        jax.config.update("jax_enable_x64", self._is_double)
        with jax.enable_x64(self._is_double):
            self._model = facts.source.model()
        self._instances: dict[int, tuple[Instance, dict[AbstractPrecision, Compiled]]] = {}
        self._precisions: dict[int, AbstractPrecision] = {}
        self._largest = Largest()

    def values(self, case: Case) -> Values:
        """The parameters alone: y0 is computed from them."""
        return self._instance(case)[0].values()

    def discrete(
        self, case: Case, values: Values, path_seed: int, times: np.ndarray | None = None, *, shift: float = 0.0
    ) -> GradientArrays | None:
        """Backpropagation through the same steps, where they are known."""
        assert times is None  # no method for models reports steps
        if not self.steps_are_known(case):
            return None
        path = path_of(self.facts, case.batch, path_seed)
        scheme = self.registry.schemes[case.scheme]
        case = replace(case, brownian="shared" if path is not None else "own", method="jax/backprop")
        solver = NativeSolver.of_case(native_method("backprop"), scheme, case, self.facts, shift=shift)
        return self._gradient(case, values, solver, path)

    def rounding(self, case: Case) -> float:
        """That of the precision in which the model can be evaluated."""
        return self._precision(case).rounding

    def _instance(self, case: Case) -> tuple[Instance, dict[AbstractPrecision, Compiled]]:
        """The model with the case's seed, and its programs by the precision in which they were traced."""
        if case.seed not in self._instances:
            with jax.enable_x64(self._is_double):
                instance = Instance(self._model, dict(self.facts.settings), case.seed)
            self._instances[case.seed] = instance, defaultdict(lambda: Compiled(instance, PROGRAMS))
        return self._instances[case.seed]

    def fine(
        self, case: Case, values: Values, scheme: AbstractScheme, steps: int, path: SharedPath | None
    ) -> GradientArrays:
        """By checkpoints; memory is that of √steps states."""
        steps = rounded_up(case, steps)
        brownian = "own" if path is None else "shared"
        case = replace(case, steps=steps, brownian=brownian, stepping="fixed", scheme=scheme.name)
        ito = self.facts.calculus == "ito" and self.facts.noise not in ("none", "additive")
        solver = NativeSolver(
            native_method("checkpoint"), scheme, steps, brownian, found=found_of(self.facts), stratonovich=ito
        )
        return self._gradient(case, values, solver, path)

    def controlled(self, case: Case, values: Values) -> tuple[FineGrid, GradientArrays]:
        """The loss is evaluated once to learn its equation, with states of zeros."""
        instance, _ = self._instance(case)
        instance.check(values)
        posing = Posing()
        solver = NativeSolver(native_method("checkpoint"), SCHEME, 1, "own", dtype="float64")
        with self._precision(case).evaluating():
            theta = self._wide(instance.theta)
            jax.block_until_ready(jax.jit(lambda theta: instance.loss(Poses(solver, posing), theta, None))(theta))
            grid = chosen(posing, self.facts, case)
        return grid, self.on_grid(case, values, grid)

    def on_grid(self, case: Case, values: Values, grid: FineGrid) -> GradientArrays:
        """As `fine`."""
        case = replace(case, steps=grid.steps, brownian="own", stepping="fixed", scheme=SCHEME.name)
        times, observed = tuple(grid.times.tolist()), tuple(grid.observed.tolist())
        solver = AtTimes(native_method("checkpoint"), SCHEME, grid.steps, "own", times=times, observed=observed)
        return self._gradient(case, values, solver, None)

    def _gradient(self, case: Case, values: Values, solver: NativeSolver, path: SharedPath | None) -> GradientArrays:
        self._instance(case)[0].check(values)
        return self._by(self._precision(case), case, solver, path)

    def _by(
        self, precision: AbstractPrecision, case: Case, solver: NativeSolver, path: SharedPath | None
    ) -> GradientArrays:
        """With everything in float64."""
        instance, compiled = self._instance(case)
        case = replace(case, dtype="float64", matmul="full", device="cpu", threads=1)
        with precision.evaluating():
            noise = noise_of(self.facts, solver.scheme, case, path)
            theta = self._wide(instance.theta)
            watched = Watched(replace(solver, dtype="float64"), self._largest)
            gradient = FRAMEWORKS["jax"].read(compiled[precision].gradient(watched, case, theta, noise)())
        return replace(gradient, largest=self._largest.read())

    def _wide(self, theta: dict[str, Array]) -> dict[str, Array]:
        return {name: jnp.asarray(np.asarray(x), "float64") for name, x in theta.items()}

    def _precision(self, case: Case) -> AbstractPrecision:
        """The way in which the model can be evaluated in float64 and is the same function. Raises ProblemError.

        A solve of few steps tells: a loss whose random numbers are others in float64 isn't near to that in float32.
        """
        if self._is_double:
            return Wide()
        if case.seed not in self._precisions:
            self._precisions[case.seed] = self._chosen(case)
        return self._precisions[case.seed]

    def _chosen(self, case: Case) -> AbstractPrecision:
        path = path_of(self.facts, case.batch, case.seed)
        scheme = self.registry.schemes["euler" if self.facts.calculus == "ito" else "heun"]
        steps = FEW * count_of(case.observations)
        brownian = "own" if path is None else "shared"
        few = replace(case, steps=steps, brownian=brownian, stepping="fixed", scheme=scheme.name, dtype="float32")
        few = replace(few, matmul="full", device="cpu", threads=1)
        solver = NativeSolver(native_method("backprop"), scheme, steps, brownian, found=found_of(self.facts))
        instance, _ = self._instance(case)
        with jax.enable_x64(False):
            noise = noise_of(self.facts, scheme, few, path)
            single = FRAMEWORKS["jax"].read(Compiled(instance).gradient(solver, few, instance.theta, noise)())
        why: list[str] = []
        for precision in precisions():
            jax.clear_caches()  # a function that the model compiles itself was traced in the one before
            try:
                double = self._by(precision, few, solver, path)
            except (ProblemError, TypeError, ValueError) as error:
                why.append(f"{precision.words}: {' '.join(str(error).split())[:200]}")
                continue
            far = relative_errors(single, double)
            if far["loss"] <= SAME_LOSS and far["theta"] <= SAME_GRADIENT:
                return precision
            why.append(f"{precision.words}: {double.loss:.6g}")
        raise ProblemError(
            "the loss isn't the same function in float64, which its references need: in float32 it is"
            f" {single.loss:.6g}, with {'; with '.join(why)}"
        )
