"""An SDE bound to an array namespace and to parameters, which a scheme evaluates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from harness.arithmetic import add_matmul, add_product, axpy, rows_times, scale
from harness.arrays import A, Namespace, Scalar, Theta
from harness.clock import Clock
from harness.correction import correction_over, drift_correction, with_own_derivative
from harness.problem import AbstractProblem

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, slots=True)
class Terms:
    """The drift, the diffusion and the increments of a problem, for one array namespace `xp` and parameters `theta`.

    A scheme evaluates the equation through these. If `stratonovich` is set, an Itô problem is turned into the
    Stratonovich SDE with the same solution, by the exact drift correction. If there is a `clock`, a time that a scheme
    computes for a grid point is replaced by the exact time of the grid point.
    """

    xp: Namespace
    problem: AbstractProblem
    theta: Theta
    stratonovich: bool = False
    clock: Clock | None = None

    def f(self, t: Scalar, y: Float[A, "batch dim"]) -> Float[A, "batch dim"]:
        """The drift, (batch, dim): the problem's own, or the Stratonovich drift if `stratonovich` is set."""
        drift = self.drift(t, y)
        if self.stratonovich and self._correctable:
            return drift - drift_correction(self.xp, self.problem, self._at(t), y, self.theta)
        return drift

    def drift(self, t: Scalar, y: Float[A, "batch dim"]) -> Float[A, "batch dim"]:
        """The problem's own drift, (batch, dim)."""
        return self.problem.drift(self.xp, self._at(t), y, self.theta)

    def g(self, t: Scalar, y: Float[A, "batch dim"]) -> Float[A, "rows ..."] | None:
        """The diffusion; None for an ODE.

        (batch, dim) for diagonal noise, (batch, dim, noise_dim) for scalar and general noise. Additive noise has one
        matrix for all rows, (dim, noise_dim): it doesn't read y, so it is evaluated for the first row only.
        """
        noise = self.problem.noise
        if noise == "none":
            return None
        t = self._at(t)
        if noise == "additive":
            return self.problem.diffusion(self.xp, t, y[:1], self.theta).squeeze(0)
        return self.problem.diffusion(self.xp, t, y, self.theta)

    def f_and_g(self, t: Scalar, y: Float[A, "batch dim"]) -> tuple[Float[A, "batch dim"], Float[A, "rows ..."] | None]:
        """f and g at the same time and state. Work that they share is done once."""
        if self.stratonovich and self._correctable:
            f, g, _ = self.with_correction(t, y)
            return f, g
        return self._evaluated(t, y)

    def with_correction(
        self, t: Scalar, y: Float[A, "batch dim"]
    ) -> tuple[Float[A, "batch dim"], Float[A, "batch ..."], Float[A, "batch dim"]]:
        """f and g as from `f_and_g`, and the drift correction ½ Σ_j (∂g_j/∂y) g_j, for noise that isn't additive."""
        f, g, correction = self._with_correction(self._at(t), y)
        return (f - correction if self.stratonovich and self._correctable else f), g, correction

    def _with_correction(
        self, t: Scalar, y: Float[A, "batch dim"]
    ) -> tuple[Float[A, "batch dim"], Float[A, "batch ..."], Float[A, "batch dim"]]:
        problem = self.problem
        closed = problem.correction(self.xp, t, y, self.theta)
        if closed is None and problem.noise == "diagonal" and problem.commutative:
            found = with_own_derivative(self.xp, lambda state: self._evaluated(t, state), y)
            if found is not None:
                f, g, product = found
                return f, g, 0.5 * product
        f, g = self._evaluated(t, y)
        assert g is not None
        if closed is None:
            closed = drift_correction(self.xp, problem, t, y, self.theta, value=g)
        return f, g, closed

    def _evaluated(
        self, t: Scalar, y: Float[A, "batch dim"]
    ) -> tuple[Float[A, "batch dim"], Float[A, "rows ..."] | None]:
        """The problem's own f and g."""
        if self.problem.noise == "none" or not self.problem.shares:
            return self.drift(t, y), self.g(t, y)
        f, g = self.problem.drift_and_diffusion(self.xp, self._at(t), y, self.theta)
        return f, g[0] if self.problem.noise == "additive" else g

    @property
    def _correctable(self) -> bool:
        """Whether the drift of the Stratonovich form is another one."""
        return self.problem.calculus == "ito" and self.problem.noise not in ("none", "additive")

    def _at(self, t: Scalar) -> Scalar:
        return t if self.clock is None else self.clock.snap(self.xp, t)

    def product(
        self,
        f: Float[A, "batch dim"],
        g: Float[A, "rows ..."] | None,
        dt: Scalar,
        dW: Float[A, "batch noise_dim"] | None,
    ) -> Float[A, "batch dim"]:
        """f dt + g dW, (batch, dim)."""
        if g is None or dW is None:
            return scale(dt, f)
        return axpy(dt, f, self.noise_product(g, dW))

    def noise_product(self, g: Float[A, "rows ..."], dW: Float[A, "batch noise_dim"]) -> Float[A, "batch dim"]:
        """g dW, (batch, dim)."""
        if self.problem.noise == "diagonal":
            return g * dW
        if self.problem.noise == "additive":
            return dW @ g.T
        return rows_times(g, dW)

    def increment(
        self, t: Scalar, y: Float[A, "batch dim"], dt: Scalar, dW: Float[A, "batch noise_dim"] | None
    ) -> Float[A, "batch dim"]:
        """f(t, y) dt + g(t, y) dW, (batch, dim)."""
        return self.product(*self.f_and_g(t, y), dt, dW)

    def correction(
        self,
        t: Scalar,
        y: Float[A, "batch dim"],
        g: Float[A, "rows ..."] | None,
        dt: Scalar,
        dW: Float[A, "batch noise_dim"] | None,
    ) -> Float[A, "batch dim"] | None:
        """The Itô increment of a step minus the Stratonovich increment; None if it is zero. See `correction_over`.

        `g` is that of `f_and_g`.
        """
        if g is None or dW is None or not self._correctable:
            return None
        return correction_over(self.xp, self.problem, self._at(t), y, self.theta, g=g, dt=dt, dW=dW)

    def stratonovich_increment(
        self, t: Scalar, y: Float[A, "batch dim"], dt: Scalar, dW: Float[A, "batch noise_dim"] | None
    ) -> Float[A, "batch dim"]:
        """f̃(t, y) dt + g(t, y) dW up to O(dt²), (batch, dim), where f̃ is the Stratonovich drift."""
        f, g = self.f_and_g(t, y)
        increment, correction = self.product(f, g, dt, dW), self.correction(t, y, g, dt, dW)
        return increment if correction is None else increment - correction

    @overload
    def noise_cotangent(
        self,
        cotangent: Float[A, "batch dim"],
        dW: Float[A, "batch noise_dim"],
        weight: float = 1.0,
        added_to: Float[A, "rows ..."] | None = None,
    ) -> Float[A, "rows ..."]: ...
    @overload
    def noise_cotangent(
        self, cotangent: Float[A, "batch dim"], dW: None, weight: float = 1.0, added_to: None = None
    ) -> None: ...
    def noise_cotangent(
        self,
        cotangent: Float[A, "batch dim"],
        dW: Float[A, "batch noise_dim"] | None,
        weight: float = 1.0,
        added_to: Float[A, "rows ..."] | None = None,
    ) -> Float[A, "rows ..."] | None:
        """The cotangent of g, in the shape of g, if g dW has the cotangent `cotangent`, (batch, dim); None for an ODE.

        With `added_to`, returns `added_to` plus `weight` times the cotangent of g.
        """
        if dW is None or self.problem.noise == "none":
            return None
        if self.problem.noise == "additive":
            if added_to is not None:
                return add_matmul(added_to, weight, cotangent.T, dW)
            return scale(weight, cotangent.T @ dW)
        if self.problem.noise != "diagonal":
            cotangent, dW = cotangent[:, :, None], dW[:, None, :]
        return scale(weight, cotangent * dW) if added_to is None else add_product(added_to, weight, cotangent, dW)
