"""A JAX model built once, and its loss and gradient computed, to find what a plan needs to know."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.case import Case
from harness.commuting import commuting_note
from harness.errors import ProblemError
from harness.grid import Grid
from harness.jax._equation import Found
from harness.jax._solve import native_method, registry
from harness.method import Gradient
from harness.methods.jax._compile import CompiledGradient
from harness.models.declared import Model
from harness.models.facts import ModelFacts
from harness.models.jax.call import Call, Schedule
from harness.models.jax.compiled import Compiled, device_of
from harness.models.jax.instance import Instance
from harness.models.jax.native import NativeSolver, Posed
from harness.models.jax.samples import over_samples
from harness.models.jax.solve import AbstractSolver
from harness.models.jax.structure import depends, structure_of
from harness.models.source import Source
from harness.stepping import Asked as AskedSteps

FEW, MORE = 2, 10
"""Steps between two observations of the solves that a model is tried with."""
TIMED = 3
"""Gradients of which the fastest counts."""


@dataclass(frozen=True)
class Asked:
    """What the solve of a model was asked for: of a batch, and as an equation."""

    call: Call
    posed: Posed

    @property
    def hidden(self) -> bool:
        """Whether the values of its arrays aren't known."""
        return any(isinstance(x, Tracer) for x in jax.tree.leaves((self.posed.y0, self.posed.theta)))


class Seen:
    """Where it is kept."""

    def __init__(self) -> None:
        self.asked: Asked | None = None

    def the(self) -> Asked:
        """What was asked for."""
        assert self.asked is not None  # or the loss would have been refused
        return self.asked


@dataclass(frozen=True)
class Recorder(AbstractSolver):
    """Solves with few steps by backpropagation, and keeps what it was asked for."""

    per_interval: int
    seen: Seen = field(compare=False)

    def solve(self, call: Call, noise: NoiseArgument) -> PyTree:
        """By an Itô scheme for an Itô SDE."""
        scheme = registry().schemes["euler" if call.calculus == "ito" else "heun"]
        steps = self.per_interval * grid_of(call.schedule).count
        native = NativeSolver(native_method("backprop"), scheme, steps, "own")

        def recorded(batch: Call) -> PyTree:
            self.seen.asked = Asked(batch, Posed.of(batch, Found()))
            return native.solve_batch(batch, noise)

        return over_samples(call, recorded)


def grid_of(schedule: Schedule) -> Grid:
    """With a step for each interval between observations."""
    times = schedule.array()
    try:
        increasing = 0.0 - times if times[0] > times[-1] else times
        return AskedSteps.of(increasing, max(1, times.size - 1), None, 0.0, 0.0).grid
    except ValueError as error:
        raise ProblemError(str(error)) from error


def probe(source: Source, model: Model, settings: Mapping[str, object], *, seed: int, device: str) -> ModelFacts:
    """Raises ProblemError where the model can't be measured, and whatever it raises itself."""
    seen, key = Seen(), jax.random.key(seed, impl="threefry2x32")
    with jax.default_device(device_of(device)):
        instance = Instance(model, settings, seed)
        loss = instance.loss(Recorder(FEW, seen), instance.theta, key)
        if not math.isfinite(float(loss)):
            raise ProblemError(f"the loss is {float(loss)} with the parameters that the model starts from")
        if seen.the().hidden:  # the model compiles its solve itself
            with contextlib.suppress(Exception), jax.disable_jit():
                instance.loss(Recorder(FEW, seen), instance.theta, key)
        asked = seen.the()
        call, posed = asked.call, asked.posed
        _check_additive(asked)
        _check_reads_the_states(instance, key)
        grid = grid_of(instance.schedule)
        found = _structure(asked, grid)
        compiled, case = Compiled(instance), _case(posed, grid, device)
        gradient, few = _timed(compiled.gradient(Recorder(FEW, Seen()), case, instance.theta, key))
        _check_repeatable(instance, case, key)
        _, more = _timed(compiled.gradient(Recorder(MORE, Seen()), case, instance.theta, key))
    broken = [name for name, value in gradient.theta.items() if not np.isfinite(value).all()]
    if broken:
        raise ProblemError(f"the gradient of the loss isn't finite for the parameters {_listed(broken)}")
    zero = [name for name, value in gradient.theta.items() if not np.asarray(value).any()]
    if len(zero) == len(gradient.theta):
        raise ProblemError("the gradient is zero for every parameter: the loss doesn't depend on them")
    equation = posed.equation
    return ModelFacts(
        noise=equation.noise,
        calculus=equation.calculus,
        dim=equation.dim,
        t0=grid.t0,
        t1=grid.t1,
        source=source,
        framework=model.framework,
        settings=tuple(sorted(settings.items())),
        batch=len(posed.y0),
        observations=grid.observations,
        dtype=str(posed.y0.dtype),
        columns=equation.noise_dim,
        reads_no_state=found.reads_no_state or equation.noise == "additive",
        commutes=found.commutes,
        entries=sum(x.size for x in instance.theta.values()),
        decreasing=call.decreasing,
        asked_dt=call.dt,
        asked_scheme=call.method,
        asked_rtol=call.rtol,
        asked_atol=call.atol,
        seconds=max(more - few, 0.1 * few) / (MORE - FEW) / grid.count,
        notes=tuple(_notes(call, found, zero, len(gradient.theta))),
    )


@dataclass(frozen=True, eq=False)
class Moved(AbstractSolver):
    """Few steps, and then all states moved by `by`."""

    by: Float[Array, ""]

    def solve(self, call: Call, noise: NoiseArgument) -> PyTree:
        """Traced with a derivative by `by`."""
        return jax.tree.map(lambda x: x + self.by.astype(x.dtype), Recorder(FEW, Seen()).solve(call, noise))


def _check_reads_the_states(instance: Instance, key: NoiseArgument) -> None:
    """Whether the loss has a derivative by the states, be it zero. Raises ProblemError."""

    def derivative(direction: Float[Array, ""]) -> Float[Array, ""]:
        def moved(by: Float[Array, ""]) -> Float[Array, ""]:
            return instance.loss(Moved(by), instance.theta, key)

        return jax.jvp(moved, (jnp.zeros_like(direction),), (direction,))[1]

    try:
        traced = jax.make_jaxpr(derivative)(jnp.ones(()))
    except TypeError:  # the loss has a function with a derivative of its own, in reverse mode alone
        return
    if not depends(traced):
        raise ProblemError(
            "the loss doesn't depend on the states that solve gives, or they have no gradient: they were left out, or"
            " went through jax.lax.stop_gradient or numpy"
        )


def _check_additive(asked: Asked) -> None:
    """Raises ProblemError where g of additive noise reads the state."""
    call, g = asked.call, asked.call.functions.diffusion
    if call.noise != "additive" or g is None or asked.hidden:
        return
    t = jnp.asarray(call.schedule.times[0], asked.posed.y0.dtype)
    if depends(jax.make_jaxpr(lambda y: g(t, y, call.args))(asked.posed.y0[:1])):
        raise ProblemError(
            'the diffusion depends on the state, but noise_type is "additive"; needed: "general", which has the same'
            " shapes"
        )


def _structure(asked: Asked, grid: Grid) -> Found:
    """What can be found of the noise; what it says itself alone, where the model hides its arrays."""
    call, g = asked.call, asked.call.functions.diffusion
    if call.noise in ("none", "additive") or g is None:
        return Found()
    if asked.hidden:
        return Found(commutes=call.says is True)

    def of_state(t: Float[Array, ""], y: Float[Array, "batch dim"]) -> Array:
        return g(t, y, call.args)

    return structure_of(of_state, call.noise, (grid.t0, *grid.observed_times()), asked.posed.y0, call.says)


def _case(posed: Posed, grid: Grid, device: str) -> Case:
    """What the compiler's options depend on."""
    equation = posed.equation
    return Case(
        problem="the model",
        noise=equation.noise,
        calculus=equation.calculus,
        scheme="heun",
        method="jax/backprop",
        dim=equation.dim,
        batch=len(posed.y0),
        steps=FEW * grid.count,
        observations=grid.observations,
        dtype=str(posed.y0.dtype),
        device=device,
        threads=1,
        brownian="own",
        seed=0,
    )


def _timed(compute: CompiledGradient) -> tuple[Gradient, float]:
    """The gradient, and the seconds that it takes. Raises ProblemError where a second one isn't the same."""
    seconds, losses, gradient = [], [], None
    for _ in range(TIMED):
        start = time.perf_counter()
        gradient = jax.block_until_ready(compute())
        jax.block_until_ready(gradient.theta)
        seconds.append(time.perf_counter() - start)
        losses.append(float(gradient.loss))
    assert gradient is not None
    if len({x for x in losses if not math.isnan(x)}) > 1:
        raise ProblemError(
            f"two evaluations of the loss with the same parameters and noise differ ({losses[0]:.9g}, {losses[1]:.9g}):"
            " it calls something that is no function of its arguments"
        )
    return gradient, min(seconds)


def _check_repeatable(instance: Instance, case: Case, key: NoiseArgument) -> None:
    """A loss must be the same each time it is traced. Raises ProblemError."""
    texts = []
    for _ in range(2):
        solver = Recorder(FEW, Seen())
        lowered = jax.jit(lambda theta, key, solver=solver: instance.loss(solver, theta, key))
        texts.append(lowered.lower(instance.theta, key).as_text())
    if texts[0] == texts[1]:
        return
    found = [
        float(Compiled(instance).gradient(Recorder(FEW, Seen()), case, instance.theta, key)().loss) for _ in range(2)
    ]
    if found[0] != found[1]:
        raise ProblemError(
            f"two evaluations of the loss with the same parameters and noise differ ({found[0]:.9g}, {found[1]:.9g}):"
            " something is kept between calls, or drawn by a generator of its own"
        )


def _notes(call: Call, found: Found, zero: list[str], count: int) -> list[str]:
    """What was found that the model's author should know."""
    notes = []
    if found.reads_no_state:
        notes.append(f"g doesn't read the state: the noise, {call.noise}, is additive")
    else:
        notes += commuting_note(call.noise, found.commutes, call.says, "the diffusion")
    if call.functions.both is not None:
        notes.append("f and g are evaluated together by drift_and_diffusion")
    if zero:
        notes.append(f"the gradient is zero for {len(zero)} of {count} parameters: {_listed(zero)}")
    return notes


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
