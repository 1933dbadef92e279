"""A solve of a user's equation by a native method: what `sdeint`, `odeint` and the harness's models have in common."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from harness.brownian.jax_noise import NoiseArgument
from harness.case import Case
from harness.errors import one_of, shown
from harness.jax._drive import AbstractDrive
from harness.jax._equation import Equation, Theta
from harness.machine import Machine
from harness.methods.jax._method import AbstractSweepMethod
from harness.methods.jax._solve import JaxSolve
from harness.methods.jax._sweep import AbstractSweep, differentiable
from harness.problem import AbstractProblem
from harness.registry import Registry
from harness.scheme import AbstractScheme
from harness.stepping import Asked
from harness.supported import whatever_the_scheme, with_scheme

Times = Sequence[float] | np.ndarray | Array
ANYWHERE = Machine(1)
"""Where a solve runs is the caller's choice."""


def solved(
    equation: Equation,
    theta: Theta,
    y0: Float[Array, "batch dim"],
    *,
    method: AbstractSweepMethod,
    scheme: AbstractScheme | str | None,
    asked: Asked,
    drive: AbstractDrive,
    stratonovich: bool = False,
) -> Float[Array, "times batch dim"]:
    """The states at the observed times, y0 first. `scheme` is the method's own choice where it is None.

    With `stratonovich` an Itô SDE is solved by a Stratonovich scheme, through the exact correction of its drift. Raises
    ValueError for what can't be solved.
    """
    sampler = drive.sampler(asked.stepping)
    solve = _solver(equation, y0, asked, method, scheme, sampler, stratonovich=stratonovich)
    return _solved(method.stepped(solve), solve, y0, theta, drive.noise(solve, y0))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _solved(
    sweep: AbstractSweep, solve: JaxSolve, y0: Float[Array, "batch dim"], theta: Theta, noise: NoiseArgument
) -> Float[Array, "times batch dim"]:
    """The states with y0 before them. Compiled once for one equation, also where the caller doesn't compile."""
    return jnp.concatenate([y0[None], differentiable(sweep, solve)(y0, theta, noise)])


def asked_for(ts: Times, steps: int | None, dt: float | None, rtol: float, atol: float) -> Asked:
    """Raises ValueError where something is not known before `jit`, or wrong."""
    for name, given in (("ts", ts), ("steps", steps), ("dt", dt), ("rtol", rtol), ("atol", atol)):
        if any(isinstance(x, Tracer) for x in jax.tree.leaves(given)):
            raise ValueError(f"{name} is traced; needed: what is known before jit, such as ts=np.linspace(0, 1, 11)")
    return Asked.of(ts, steps, dt, rtol, atol)


def _solver(
    equation: Equation,
    y0: Float[Array, "batch dim"],
    asked: Asked,
    method: AbstractSweepMethod,
    scheme: AbstractScheme | str | None,
    brownian: str,
    *,
    stratonovich: bool,
) -> JaxSolve:
    """The equation with the scheme and the steps. Raises ValueError where they don't fit.

    Noise that doesn't read the state has the same solution in either calculus: the equation is posed in the scheme's.
    """
    problem = cast(AbstractProblem, equation)  # all of it but the loss, y0 and θ, which are the caller's here
    case = Case(
        problem=equation.name,
        noise=equation.noise,
        calculus=equation.calculus,
        scheme="",
        method=method.name,
        dim=equation.dim,
        batch=len(y0),
        steps=asked.grid.steps,
        observations=asked.grid.observations,
        dtype=str(y0.dtype),
        device="cpu",  # of no effect: where a solve runs is the caller's choice
        threads=1,
        brownian=brownian,
        seed=0,
        stepping=asked.stepping,
        rtol=asked.rtol,
        atol=asked.atol,
    )
    reason = whatever_the_scheme(case, method, ANYWHERE)
    if reason is not None:
        raise ValueError(reason)
    reasons: list[str] = []
    for candidate in _schemes(method, scheme):
        posed = problem
        if stratonovich or problem.additive:
            posed = cast(AbstractProblem, replace(equation, calculus=candidate.calculi[0]))
        reason = with_scheme(posed, candidate, method, replace(case, scheme=candidate.name, calculus=posed.calculus))
        if reason is None:
            given = problem if stratonovich else posed
            case = replace(case, scheme=candidate.name, calculus=given.calculus)
            return JaxSolve(given, candidate, case, stratonovich=stratonovich)
        reasons.append(reason)
    approach = method.name.partition("/")[2]
    raise ValueError(f"the method {approach} can't solve this equation: {'; '.join(reasons)}")


@functools.cache
def registry() -> Registry:
    """What is installed."""
    return Registry.load()


def native_method(approach: str) -> AbstractSweepMethod:
    """A native reverse-mode method by its approach. Raises ValueError."""
    methods = _methods()
    known("method", approach, methods)
    return methods[approach]


@functools.cache
def _methods() -> dict[str, AbstractSweepMethod]:
    found = registry().methods.values()
    return {method.name.partition("/")[2]: method for method in found if isinstance(method, AbstractSweepMethod)}


def _schemes(method: AbstractSweepMethod, asked: AbstractScheme | str | None) -> list[AbstractScheme]:
    """Those to be tried. Raises ValueError."""
    if isinstance(asked, AbstractScheme):
        return [asked]
    schemes = registry().schemes
    if asked is not None:
        known("scheme", asked, schemes)
    return [schemes[name] for name in ([asked] if asked is not None else method.default_schemes)]


def known(what: str, given: object, names: Collection[str]) -> None:
    """Raises ValueError where `given` is none of the names."""
    if not isinstance(given, str) or given not in names:
        raise ValueError(f"{what} is {shown(given)}; {one_of(names, given)}")
