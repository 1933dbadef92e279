"""A user's own model solved by diffrax, called as its documentation has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

import diffrax
import jax
import jax.numpy as jnp
import lineax
from jaxtyping import Array, PyTree

from harness.brownian.diffrax_path import InjectedAtTicks, InjectedBrownian
from harness.brownian.jax_noise import NoiseArgument, is_key
from harness.case import Case
from harness.clock import Clock
from harness.errors import ProblemError, UnsupportedError
from harness.grid import Grid
from harness.methods._diffrax_term import BatchedControlTerm
from harness.models.jax.call import Call
from harness.models.jax.native import COMPILED_INSIDE
from harness.models.jax.samples import noise_of_sample, not_mapped_later, opened, samples_of
from harness.models.jax.solve import AbstractSolver
from harness.stepping import Asked, by_stepping
from harness.stepping.adaptive import MOST_STEPS
from harness.stepping.ticks import SDE_TICKS, Ticks

Span: TypeAlias = dict[str, Any]
"""The ends of the interval and the kind of Lévy area, as arguments of a path."""


class _FixedSteps:
    """The steps of a grid."""

    def arguments(self, call: Call, grid: Grid, times: Array) -> dict[str, Any]:
        """Of `diffeqsolve`. The model's own `max_steps` holds, or diffrax's default, unless the grid has more steps:
        diffrax keeps checkpoints for so many."""
        step = grid.equal_step
        controller = diffrax.StepTo(times) if step is None else diffrax.ConstantStepSize()
        return {"dt0": step, "stepsize_controller": controller, "max_steps": max(grid.steps, call.most_steps)}

    def shortest(self, grid: Grid) -> float:
        """The shortest step."""
        return float(grid.lengths.min())

    def injected(self, noise: PyTree, grid: Grid, times: Array, span: Span) -> diffrax.AbstractBrownianPath:
        """The shared path at the ends of the steps."""
        del grid
        W, H = noise if isinstance(noise, tuple) else (noise, noise)  # without the need, H is never asked for
        return InjectedBrownian(W=W, H=H, times=times, **span)


@dataclass(frozen=True)
class _AdaptiveSteps:
    """diffrax's own rule. The first step has the length of a grid's steps."""

    rtol: float
    atol: float

    def arguments(self, call: Call, grid: Grid, times: Array) -> dict[str, Any]:
        """Of `diffeqsolve`, with the gains that diffrax recommends for SDEs."""
        del times
        controller = diffrax.PIDController(self.rtol, self.atol)
        if call.noise != "none":
            controller = diffrax.PIDController(self.rtol, self.atol, pcoeff=0.1, icoeff=0.3, dtmin=self.shortest(grid))
        return {"dt0": (grid.t1 - grid.t0) / grid.steps, "stepsize_controller": controller, "max_steps": MOST_STEPS}

    def shortest(self, grid: Grid) -> float:
        """The shortest step at whose ends the shared path is known."""
        return (grid.t1 - grid.t0) / SDE_TICKS

    def injected(self, noise: PyTree, grid: Grid, times: Array, span: Span) -> diffrax.AbstractBrownianPath:
        """The shared path at ticks."""
        return InjectedAtTicks(noise, jnp.asarray(Ticks.of(grid, noisy=True).cells.halves, times.dtype), **span)


@dataclass(frozen=True)
class DiffraxSolver(AbstractSolver):
    """`diffeqsolve` by diffrax's scheme `solver` and its `adjoint` with `options`, in the steps of a case.

    With `doubled` an adaptive step is compared with two half steps. A state of one sample is solved as it is, under the
    model's own `jax.vmap`: it then takes steps of its own.
    """

    case: Case
    solver: str
    adjoint: str
    options: tuple[tuple[str, object], ...] = ()
    levy_area: bool = False
    doubled: bool = False

    def solve(self, call: Call, noise: NoiseArgument) -> PyTree:
        """By steps of one length, by `StepTo` where the times are unequally spaced, or by adaptive steps."""
        call = call.increasing()
        of_arrays, closed_over = opened(call)
        arrays = (*call.arrays(), *closed_over)
        if call.single:
            noise = noise_of_sample(noise, arrays)
        elif self.solver == "ItoMilstein" and call.noise != "none":
            raise UnsupportedError(
                "diffrax's ItoMilstein pairs all Brownian motions, also those of different samples: it needs the"
                " state of one sample, under jax.vmap"
            )
        if samples_of(arrays) is None:
            noise = not_mapped_later(noise, arrays, COMPILED_INSIDE)
        if self.adjoint == "BacksolveAdjoint":  # it refuses functions that close over traced arrays
            call = replace(of_arrays, args=closed_over)
        return self._states(replace(call, y0=of_arrays.y0), noise)

    def _states(self, call: Call, noise: NoiseArgument) -> PyTree:
        """Of one sample, or of all."""
        try:
            grid = Asked.of(call.schedule.array(), self.case.steps, None, 0.0, 0.0).grid
        except ValueError as error:
            raise ProblemError(str(error)) from error
        dtype = jnp.result_type(*jax.tree.leaves(call.y0))
        times = jnp.asarray(Clock(grid, str(dtype)).times, dtype)
        solver, how = getattr(diffrax, self.solver)(), self._steps.arguments(call, grid, times)
        states = diffrax.diffeqsolve(
            self._terms(call, noise, grid, times),
            diffrax.HalfSolver(solver) if self.doubled else solver,
            t0=grid.t0,
            t1=grid.t1,
            y0=call.y0,
            args=call.args,
            adjoint=getattr(diffrax, self.adjoint)(**dict(self.options)),
            saveat=diffrax.SaveAt(ts=times[grid.observed]),
            throw=False,
            **how,
        ).ys
        return jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), call.y0, states)

    def _terms(self, call: Call, noise: NoiseArgument, grid: Grid, times: Array) -> diffrax.AbstractTerm:
        f, g = _field(call.functions.drift), _field(call.functions.diffusion)
        drift = diffrax.ODETerm(f)
        if call.noise == "none" or noise is None:
            return drift
        shape = jax.eval_shape(g, times[0], call.y0, call.args).shape
        diagonal = call.noise == "diagonal"
        brownian = self._brownian(noise, grid, times, shape if diagonal else (*call.y0.shape[:-1], shape[-1]))
        if diagonal:
            return diffrax.MultiTerm(drift, diffrax.ControlTerm(diagonal_of(g), brownian))
        term = diffrax.ControlTerm if call.single else BatchedControlTerm
        return diffrax.MultiTerm(drift, term(g, brownian))

    def _brownian(
        self, noise: PyTree, grid: Grid, times: Array, shape: tuple[int, ...]
    ) -> diffrax.AbstractBrownianPath:
        levy_area = diffrax.SpaceTimeLevyArea if self.levy_area else diffrax.BrownianIncrement
        span = {"t0": grid.t0, "t1": grid.t1, "levy_area": levy_area}
        if is_key(noise):
            drawn = jax.ShapeDtypeStruct(shape, times.dtype)
            return diffrax.VirtualBrownianTree(tol=self._steps.shortest(grid) / 2, shape=drawn, key=noise, **span)
        return self._steps.injected(noise, grid, times, span)

    @property
    def _steps(self) -> _FixedSteps | _AdaptiveSteps:
        return by_stepping(self.case, fixed=_FixedSteps(), adaptive=_AdaptiveSteps)


def _field(function: object) -> Callable[..., Any]:
    """diffrax declares the times of a vector field more widely."""
    return cast(Callable[..., Any], function)


def diagonal_of(g: Callable[..., Any]) -> Callable[..., lineax.DiagonalLinearOperator]:
    """g as the operator by which diffrax knows diagonal noise."""
    return lambda t, y, args: lineax.DiagonalLinearOperator(g(t, y, args))
