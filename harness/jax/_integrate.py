"""`sdeint` and `odeint`: a native gradient method as a differentiable solve."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.case import CALCULI, DTYPES, NOISES, Case
from harness.errors import one_of, shown
from harness.jax._equation import Equation, Field, Theta, equation
from harness.jax._noise import Increment, Path, increments, threefry
from harness.jax._state import Form, of_matrix
from harness.machine import Machine
from harness.methods.jax._method import AbstractSweepMethod
from harness.methods.jax._solve import JaxSolve
from harness.methods.jax._sweep import AbstractSweep, differentiable
from harness.problem import AbstractProblem
from harness.registry import Registry
from harness.stepping import Asked
from harness.supported import whatever_the_scheme, with_scheme

Times = Sequence[float] | np.ndarray | Array


def sdeint(
    drift: Field,
    diffusion: Field,
    y0: Float[Array, "batch dim"],
    ts: Times,
    args: PyTree = None,
    *,
    noise_type: str,
    sde_type: str = "stratonovich",
    method: str = "reversible",
    scheme: str | None = None,
    steps: int | None = None,
    dt: float | None = None,
    rtol: float = 0.0,
    atol: float = 0.0,
    key: PRNGKeyArray | None = None,
    path: Path | Increment | None = None,
) -> Float[Array, "times batch dim"]:
    """Solve dY = f(t, Y; args) dt + g(t, Y; args) dW, differentiably in y0 and in args.

    The reverse-mode derivative is that of a native method, which has its page in `docs/methods`. It is taken with
    respect to y0 and to every float array in `args`, under `jax.jit` and `jax.vmap`. Drift and diffusion may be trees
    with arrays of their own, such as an `equinox.Module`, or close over traced arrays; these have a derivative too.
    Second derivatives and forward mode are refused.

    `drift(t, y, args)` is (batch, dim) and `diffusion(t, y, args)` as in torchsde: (batch, dim) for diagonal noise,
    (batch, dim, 1) for scalar noise, (batch, dim, noise_dim) for additive and general noise. t is a scalar array.
    Additive noise is evaluated for the first row of y alone, (1, dim, noise_dim), and used for all rows.

    - `ts`: (times,), increasing, known before `jit`. Every one of them is the end of a step.
    - `args`: any tree; leaves that are neither arrays nor hashable are refused.
    - `noise_type`: additive, diagonal, general or scalar; `sde_type`: ito or stratonovich.
    - `method`: the approach of a native JAX method, such as reversible, backprop or adjoint.
    - `scheme`: by default the first of the method's that solves such an equation.
    - `steps`: over the whole of [ts[0], ts[-1]], shared out between neighbouring times so that the longest step is as
      short as possible; or `dt`, the length that no step exceeds. Between two times all steps have one length.
    - `rtol`, `atol`: with one of them above 0 the steps are adaptive. The error of a step is held below
      atol + rtol |y|, in the root mean square over the batch. `steps` or `dt` give the length of the first step then,
      by default a hundredth of the interval. For the methods backprop and adjoint, and for noise that is known to
      commute: additive or scalar. The states are not numbers where a solve takes more than 4096 steps.
    - `key`: a PRNG key, from which the increments are drawn. It may be traced: each training step has a new one. With
      adaptive steps it is the key of a virtual Brownian tree.
    - `path`: instead of a key `path(t0, t1)`, or an object with `evaluate(t0, t1)` as diffrax's paths have it, that
      gives W(t1) − W(t0), (batch, noise_dim). It is read once for each step, and has no derivative. Fixed steps only.

    Returns the states at `ts`, (times, batch, dim), the first of which is y0. Raises ValueError where an argument is
    wrong, and NotImplementedError on a second derivative.
    """
    noises = tuple(noise for noise in NOISES if noise != "none")
    _known("noise_type", noise_type, noises)
    _known("sde_type", sde_type, CALCULI)
    if (key is None) == (path is None):
        raise ValueError(f"give either key or path, given {'neither' if key is None else 'both'}")
    _callable("drift", drift)
    _callable("diffusion", diffusion)
    asked = _asked(ts, steps, dt, rtol, atol)
    grid = asked.grid
    if asked.stepping == "adaptive" and path is not None:
        raise ValueError("adaptive steps read the noise at times that they choose: give a key in place of a path")
    y0 = _initial(y0)
    sde, theta = equation((drift, diffusion), args, y0, (grid.t0, grid.t1), (noise_type, sde_type))
    sweep, solve = _solver(sde, y0, asked, method, scheme, asked.sampler if path is None else "shared")
    if path is None:
        return _solved(sweep, solve, y0, theta, threefry(key))
    if solve.scheme.needs_levy_area:
        raise ValueError(f"the scheme {solve.scheme.name} needs Lévy areas, which a path doesn't give; give a key")
    dW = increments(path, grid, (len(y0), sde.noise_dim), y0.dtype)
    return _solved(sweep, solve, y0, theta, dW)


def odeint(
    drift: Field,
    y0: PyTree,
    ts: Times,
    args: PyTree = None,
    *,
    method: str = "reversible",
    scheme: str | None = None,
    steps: int | None = None,
    dt: float | None = None,
    rtol: float = 0.0,
    atol: float = 0.0,
) -> PyTree:
    """Solve dY = f(t, Y; args) dt, differentiably in y0 and in args: `sdeint` without noise.

    y0 is an array of any shape, or a tree of arrays of one type, and `drift` gives what y is. The norm of adaptive
    steps is that of all entries.

    Returns the states at `ts`, the first of which is y0: of y0's structure, with an axis of times before each array's
    own, (times, batch, dim) for y0 of (batch, dim). Raises ValueError where an argument is wrong, and
    NotImplementedError on a second derivative.
    """
    _callable("drift", drift)
    asked = _asked(ts, steps, dt, rtol, atol)
    form = Form.of(y0)
    start = _initial(form.pack(y0))
    times = asked.grid.t0, asked.grid.t1
    ode, theta = equation((of_matrix(drift, form), None), args, start, times, ("none", "stratonovich"))
    sweep, solve = _solver(ode, start, asked, method, scheme, "own")
    return form.unpack(_solved(sweep, solve, start, theta, None))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _solved(
    sweep: AbstractSweep, solve: JaxSolve, y0: Float[Array, "batch dim"], theta: Theta, noise: NoiseArgument
) -> Float[Array, "times batch dim"]:
    """The states with y0 before them. Compiled once for one equation, also where the caller doesn't compile."""
    return jnp.concatenate([y0[None], differentiable(sweep, solve)(y0, theta, noise)])


def _asked(ts: Times, steps: int | None, dt: float | None, rtol: float, atol: float) -> Asked:
    """Raises ValueError where something is not known before `jit`, or wrong."""
    for name, given in (("ts", ts), ("steps", steps), ("dt", dt), ("rtol", rtol), ("atol", atol)):
        if any(isinstance(x, Tracer) for x in jax.tree.leaves(given)):
            raise ValueError(f"{name} is traced; needed: what is known before jit, such as ts=np.linspace(0, 1, 11)")
    return Asked.of(ts, steps, dt, rtol, atol)


def _initial(y0: ArrayLike) -> Float[Array, "batch dim"]:
    y0 = jnp.asarray(y0)
    if y0.ndim != 2 or not all(y0.shape):
        raise ValueError(f"y0 has shape {y0.shape}; needed: (batch, dim), each at least 1")
    _known("the type of y0", str(y0.dtype), DTYPES)
    return jax.lax.convert_element_type(y0, y0.dtype)  # not the weak type of a Python number


def _solver(
    equation: Equation,
    y0: Float[Array, "batch dim"],
    asked: Asked,
    method: str,
    scheme: str | None,
    brownian: str,
) -> tuple[AbstractSweep, JaxSolve]:
    """The method's sweep, and the equation with the scheme and the steps. Raises ValueError where they don't fit."""
    methods, schemes = _methods(), _registry().schemes
    _known("method", method, methods)
    chosen = methods[method]
    if scheme is not None:
        _known("scheme", scheme, schemes)
    problem = cast(AbstractProblem, equation)  # all of it but the loss, y0 and θ, which are the caller's here
    case = Case(
        problem=equation.name,
        noise=equation.noise,
        calculus=equation.calculus,
        scheme=scheme or "",
        method=chosen.name,
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
    reason = whatever_the_scheme(case, chosen, Machine(1))
    if reason is not None:
        raise ValueError(reason)
    reasons: list[str] = []
    for name in (scheme,) if scheme is not None else chosen.default_schemes:
        solve = JaxSolve(problem, schemes[name], replace(case, scheme=name))
        reason = with_scheme(problem, solve.scheme, chosen, solve.case)
        if reason is None:
            return chosen.stepped(solve), solve
        reasons.append(reason)
    raise ValueError(f"the method {method} can't solve this equation: {'; '.join(reasons)}")


@functools.cache
def _registry() -> Registry:
    return Registry.load()


@functools.cache
def _methods() -> dict[str, AbstractSweepMethod]:
    """The native reverse-mode methods by their approach."""
    found = _registry().methods.values()
    return {method.name.partition("/")[2]: method for method in found if isinstance(method, AbstractSweepMethod)}


def _callable(what: str, given: object) -> None:
    if not callable(given):
        raise ValueError(f"{what} is {shown(given)}; needed: a function (t, y, args)")


def _known(what: str, given: object, names: Collection[str]) -> None:
    if not isinstance(given, str) or given not in names:
        raise ValueError(f"{what} is {shown(given)}; {one_of(names, given)}")
