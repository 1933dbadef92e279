"""What drives a user's solve: increments drawn from a seed, a path that is given, or the harness's shared path."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from harness.brownian.path import SharedPath
from harness.brownian.torch_noise import NoiseSource, make_noise
from harness.case import Case
from harness.clock import Clock
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.stepping import stepping_of
from harness.torch._noise import GivenNoise


class AbstractDrive(ABC):
    """Makes the noise of a solve."""

    @property
    def seed(self) -> int:
        """What the case is seeded by."""
        return 0

    def sampler(self, stepping: str) -> str:
        """That of the case, by its stepping: adaptive steps need a path that is a function of time."""
        return "tree" if stepping == "adaptive" else "own"

    @abstractmethod
    def noise(self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, like: Tensor) -> NoiseSource:
        """The noise of the case's steps. `like` is y0, (batch, dim). Raises ValueError."""


@dataclass(frozen=True)
class Drawn(AbstractDrive):
    """By the native samplers."""

    number: int

    @property
    def seed(self) -> int:
        """The number that was given or drawn."""
        return self.number

    def noise(self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, like: Tensor) -> NoiseSource:
        """Drawn from the seed of the case."""
        del like
        stepping = stepping_of(problem, scheme, case)
        return make_noise(case, problem.noise_dim, stepping, None, levy_area=scheme.needs_levy_area)


@dataclass(frozen=True)
class Given(AbstractDrive):
    """By the caller's `path(t0, t1)`."""

    path: Callable[[float, float], object]

    def noise(self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, like: Tensor) -> NoiseSource:
        """Its increments over the steps."""
        if scheme.needs_levy_area:
            raise ValueError(f"{scheme.name} needs the Lévy area of the path: give a seed in place of bm, or use heun")
        stepping = stepping_of(problem, scheme, case)
        clock = Clock.of(stepping, case.dtype)
        if clock is None:
            raise ValueError("adaptive steps read the noise at times that they choose: give a seed in place of bm")
        return GivenNoise(self.path, clock.times.tolist(), like, problem.noise_dim)


@dataclass(frozen=True)
class Shared(AbstractDrive):
    """By the harness's shared path, None for an ODE."""

    path: SharedPath | None

    def sampler(self, stepping: str) -> str:
        """Whatever the stepping."""
        del stepping
        return "shared"

    def noise(self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, like: Tensor) -> NoiseSource:
        """Its increments over the steps, or W where adaptive steps ask for it."""
        del like
        stepping = stepping_of(problem, scheme, case)
        return make_noise(case, problem.noise_dim, stepping, self.path, levy_area=scheme.needs_levy_area)
