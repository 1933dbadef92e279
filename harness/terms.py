"""An SDE bound to an array namespace and to parameters: what a scheme steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.arithmetic import add_matmul, add_product, axpy, rows_times, scale
from harness.clock import Clock
from harness.problem import AbstractProblem, Theta


@dataclass(frozen=True, slots=True)
class Terms:
    """f, g and their increments for one problem, namespace `xp` and parameters.

    `stratonovich` turns an Itô problem into the Stratonovich SDE with the same solution, by the drift correction.
    With a `clock` every time at a grid point, however a scheme computed it, is that of the grid.
    """

    xp: Any
    problem: AbstractProblem
    theta: Theta
    stratonovich: bool = False
    clock: Clock | None = None

    def f(self, t: Any, y: Any) -> Any:
        """The drift, (batch, dim)."""
        t = self._at(t)
        return self._corrected(self.problem.drift(self.xp, t, y, self.theta), t, y)

    def g(self, t: Any, y: Any) -> Any:
        """The diffusion; None for an ODE.

        (batch, dim) for diagonal noise, (batch, dim, noise_dim) for scalar and general noise. Additive noise has one
        matrix for all rows, (dim, noise_dim): it doesn't read y, so that it is evaluated for the first row alone.
        """
        noise = self.problem.noise
        if noise == "none":
            return None
        t = self._at(t)
        if noise == "additive":
            return self.problem.diffusion(self.xp, t, y[:1], self.theta).squeeze(0)
        return self.problem.diffusion(self.xp, t, y, self.theta)

    def f_and_g(self, t: Any, y: Any) -> tuple[Any, Any]:
        """Both, what they share being evaluated once."""
        if self.problem.noise == "none" or not self.problem.shares:
            return self.f(t, y), self.g(t, y)
        t = self._at(t)
        f, g = self.problem.drift_and_diffusion(self.xp, t, y, self.theta)
        return self._corrected(f, t, y), g[0] if self.problem.noise == "additive" else g

    def _corrected(self, drift: Any, t: Any, y: Any) -> Any:
        """That of the Stratonovich form, where it is asked for."""
        if self.stratonovich and self.problem.calculus == "ito" and self.problem.noise not in ("none", "additive"):
            from harness.correction import drift_correction

            return drift - drift_correction(self.xp, self.problem, t, y, self.theta)
        return drift

    def _at(self, t: Any) -> Any:
        return t if self.clock is None else self.clock.snap(t)

    def product(self, f: Any, g: Any, dt: float, dW: Any) -> Any:
        """f dt + g dW, (batch, dim)."""
        if g is None:
            return scale(dt, f)
        return axpy(dt, f, self.noise_product(g, dW))

    def noise_product(self, g: Any, dW: Any) -> Any:
        """g dW, (batch, dim)."""
        if self.problem.noise == "diagonal":
            return g * dW
        if self.problem.noise == "additive":
            return dW @ g.T
        return rows_times(g, dW)

    def increment(self, t: Any, y: Any, dt: float, dW: Any) -> Any:
        """f(t, y) dt + g(t, y) dW, (batch, dim)."""
        return self.product(*self.f_and_g(t, y), dt, dW)

    def noise_cotangent(self, cotangent: Any, dW: Any, weight: float = 1.0, added_to: Any = None) -> Any:
        """What g receives, in its own shape, where g dW receives `cotangent`, (batch, dim); None for an ODE.

        With `added_to`, that plus `weight` times what g receives.
        """
        if self.problem.noise == "none":
            return None
        if self.problem.noise == "additive":
            if added_to is not None:
                return add_matmul(added_to, weight, cotangent.T, dW)
            return scale(weight, cotangent.T @ dW)
        if self.problem.noise != "diagonal":
            cotangent, dW = cotangent[:, :, None], dW[:, None, :]
        return scale(weight, cotangent * dW) if added_to is None else add_product(added_to, weight, cotangent, dW)
