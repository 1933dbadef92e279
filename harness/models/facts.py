"""What is known of a model once it has been built and its loss was computed: what a plan needs, and no framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.arrays import Namespace, Scalar, Theta
from harness.case import Case
from harness.grid import count_of
from harness.method import AbstractGradientMethod
from harness.models.source import Source
from harness.problem import AbstractProblem
from harness.random import Normals

FILLED = ("noise", "calculus", "dim", "batch", "observations", "dtype")
"""The axes of a case that a model decides itself."""

CALCULUS = {"ito": "Itô", "stratonovich": "Stratonovich"}


@dataclass(frozen=True, kw_only=True)
class ModelFacts(AbstractProblem):
    """The model's equation as a problem to plan with. It can be evaluated in a child alone.

    `columns` is m, the number of Brownian motions; `entries` the number of entries of all parameters.
    `reads_no_state` says that g doesn't depend on y, `commutes` that its noise commutes, as they were found.
    `decreasing` says that an ODE is solved backwards in time, from −t0 to −t1. `asked_dt`, `asked_scheme`,
    `asked_rtol` and `asked_atol` are those that the model's own call names; `seconds` a first measurement of a
    forward solve and gradient a step. `notes` are sentences on what was found. `code` are the files of the model and of
    what it imports from its own folder, by name.
    """

    source: Source
    framework: str
    settings: tuple[tuple[str, object], ...]
    batch: int
    observations: int | tuple[float, ...]
    dtype: str
    columns: int
    reads_no_state: bool
    commutes: bool
    entries: int
    decreasing: bool = False
    asked_dt: float | None = None
    asked_scheme: str | None = None
    asked_rtol: float | None = None
    asked_atol: float | None = None
    seconds: float = 1e-3
    notes: tuple[str, ...] = ()
    code: tuple[tuple[str, str], ...] = ()

    name = "the model"

    @property
    def described(self) -> str:
        """The equation, its sizes and its times in a line."""
        kind = "an ODE" if self.noise == "none" else f"{CALCULUS[self.calculus]} SDE, {self.noise} noise"
        times = count_of(self.observations)
        t0, t1 = (0.0 - self.t0, 0.0 - self.t1) if self.decreasing else (self.t0, self.t1)
        return (
            f"{kind}; state {self.batch} × {self.dim}, {self.dtype}; t from {t0:g} to {t1:g}, {times}"
            f" observation time{'s' if times > 1 else ''}; {self.entries} parameters"
        )

    @property
    def noise_dim(self) -> int:
        """Columns of g."""
        return self.columns

    @property
    def additive(self) -> bool:
        """As found."""
        return self.reads_no_state and self.noise != "none"

    @property
    def commutative(self) -> bool:
        """As found."""
        return self.additive or self.noise in ("none", "scalar") or self.commutes

    def case(
        self,
        *,
        problem: str,
        method: str,
        scheme: str,
        steps: int,
        device: str = "cpu",
        brownian: str = "own",
        seed: int = 0,
        stepping: str = "fixed",
        atol: float = 0.0,
    ) -> Case:
        """A case of the model on one core; an ODE has no sampler."""
        return Case(
            problem=problem,
            method=method,
            scheme=scheme,
            steps=steps,
            device=device,
            threads=1,
            brownian="own" if self.noise == "none" else brownian,
            seed=seed,
            stepping=stepping,
            atol=atol,
            **{axis: getattr(self, axis) for axis in FILLED},
        )

    def unsuited(self, method: AbstractGradientMethod) -> str | None:
        """A method of another framework, or one for problems alone."""
        if method.framework != self.framework:
            return f"the model is written in {self.framework}, the method in {method.framework}"
        return None if method.takes_models else "it takes the harness's problems, not a model of one's own"

    def refusal(self, method: AbstractGradientMethod, case: Case) -> str | None:
        """Axes that are the model's own, and what the method says."""
        for axis in FILLED:
            given, own = getattr(case, axis), getattr(self, axis)
            if given != own:
                return f"{axis} is the model's own, {own}: it can't be {given}"
        return method.unsupported_model(case)

    def initial(self, normals: Normals, batch: int) -> np.ndarray:
        """It is the model's."""
        raise NotImplementedError

    def parameters(self, normals: Normals) -> dict[str, np.ndarray]:
        """They are the model's."""
        raise NotImplementedError

    def drift(self, xp: Namespace, t: Scalar, y: Any, theta: Theta) -> Any:
        """It is the model's."""
        raise NotImplementedError

    def diffusion(self, xp: Namespace, t: Scalar, y: Any, theta: Theta) -> Any:
        """It is the model's."""
        raise NotImplementedError

    def loss(self, xp: Namespace, ys: Any) -> Any:
        """It is the model's."""
        raise NotImplementedError
