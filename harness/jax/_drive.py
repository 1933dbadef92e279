"""What drives a user's solve: increments drawn from a key, a path that is given, or what the harness made before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Array, Float, PRNGKeyArray

from harness.brownian.jax_noise import NoiseArgument
from harness.grid import Grid
from harness.jax._noise import Increment, Path, increments, threefry
from harness.methods.jax._solve import JaxSolve


class AbstractDrive(ABC):
    """Makes the noise of a solve."""

    def sampler(self, stepping: str) -> str:
        """That of the case, by its stepping."""
        del stepping
        return "shared"

    @abstractmethod
    def noise(self, solve: JaxSolve, y0: Float[Array, "batch dim"]) -> NoiseArgument:
        """What the compiled solve is called with. Raises ValueError."""


@dataclass(frozen=True, eq=False)
class Drawn(AbstractDrive):
    """By the native samplers, from a PRNG key."""

    key: PRNGKeyArray

    def sampler(self, stepping: str) -> str:
        """Adaptive steps need a path that is a function of time."""
        return "tree" if stepping == "adaptive" else "own"

    def noise(self, solve: JaxSolve, y0: Float[Array, "batch dim"]) -> NoiseArgument:
        """The key."""
        del solve, y0
        return threefry(self.key)


@dataclass(frozen=True, eq=False)
class Given(AbstractDrive):
    """By the caller's `path(t0, t1)`, or an object with `evaluate`."""

    path: Path | Increment

    def noise(self, solve: JaxSolve, y0: Float[Array, "batch dim"]) -> NoiseArgument:
        """Its increments over the steps."""
        if solve.scheme.needs_levy_area:
            raise ValueError(f"the scheme {solve.scheme.name} needs Lévy areas, which a path doesn't give; give a key")
        if not isinstance(solve.stepping, Grid):
            raise ValueError("adaptive steps read the noise at times that they choose: give a key in place of a path")
        return increments(self.path, solve.stepping, (len(y0), solve.problem.noise_dim), y0.dtype)


@dataclass(frozen=True, eq=False)
class Made(AbstractDrive):
    """By what `harness.brownian.jax_noise.noise_argument` made, for a case with this `brownian`."""

    argument: NoiseArgument
    brownian: str = "shared"

    def sampler(self, stepping: str) -> str:
        """That of the case."""
        del stepping
        return self.brownian

    def noise(self, solve: JaxSolve, y0: Float[Array, "batch dim"]) -> NoiseArgument:
        """As it is."""
        del solve, y0
        return self.argument


class NoNoise(AbstractDrive):
    """Of an ODE."""

    def sampler(self, stepping: str) -> str:
        """Of no effect."""
        del stepping
        return "own"

    def noise(self, solve: JaxSolve, y0: Float[Array, "batch dim"]) -> NoiseArgument:
        """None."""
        del solve, y0
