"""`sdeint` and `odeint`: a native gradient method as a differentiable solve."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray, PyTree

from harness.case import CALCULI, DTYPES, NOISES
from harness.errors import shown
from harness.jax._drive import AbstractDrive, Drawn, Given, NoNoise
from harness.jax._equation import Both, Field, Found, Functions, equation
from harness.jax._noise import Increment, Path
from harness.jax._solve import Times, asked_for, known, native_method, solved
from harness.jax._state import Form, of_matrix

SDE_NOISES = tuple(noise for noise in NOISES if noise != "none")


def sdeint(
    drift: Field | None,
    diffusion: Field | None,
    y0: Float[Array, "batch dim"],
    ts: Times,
    args: PyTree = None,
    *,
    noise_type: str,
    sde_type: str = "stratonovich",
    drift_and_diffusion: Both | None = None,
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
    - `drift_and_diffusion`: (t, y, args) -> (drift, diffusion), for two that share work, such as a layer that both
      read. It is evaluated once where a scheme needs both at one state, and must give what `drift` and `diffusion`
      give. These may then be None.
    - `diffusion.commutes`: an attribute, or one of the object whose method `diffusion` is. True says that the noise
      commutes, which schemes such as milstein need. Additive and scalar noise always do. Where `drift_and_diffusion` is
      given, it is its attribute that counts.
    - `method`: the approach of a native JAX method, such as reversible, backprop or adjoint.
    - `scheme`: by default the first of the method's that solves such an equation.
    - `steps`: over the whole of [ts[0], ts[-1]], shared out between neighbouring times so that the longest step is as
      short as possible; or `dt`, the length that no step exceeds. Between two times all steps have one length.
    - `rtol`, `atol`: with one of them above 0 the steps are adaptive. The error of a step is held below
      atol + rtol |y|, in the root mean square over the batch. `steps` or `dt` give the length of the first step then,
      by default a hundredth of the interval. For the methods backprop and adjoint, and for noise that is known to
      commute: additive or scalar, or declared. The states are not numbers where a solve takes more than 4096 steps.
    - `key`: a PRNG key, from which the increments are drawn. It may be traced: each training step has a new one. With
      adaptive steps it is the key of a virtual Brownian tree.
    - `path`: instead of a key `path(t0, t1)`, or an object with `evaluate(t0, t1)` as diffrax's paths have it, that
      gives W(t1) − W(t0), (batch, noise_dim). It is read once for each step, and has no derivative. Fixed steps only.

    Returns the states at `ts`, (times, batch, dim), the first of which is y0. Raises ValueError where an argument is
    wrong, and NotImplementedError on a second derivative.
    """
    known("noise_type", noise_type, SDE_NOISES)
    known("sde_type", sde_type, CALCULI)
    drive = _drive(key, path)
    functions = Functions.of(drift, diffusion, drift_and_diffusion)
    asked = asked_for(ts, steps, dt, rtol, atol)
    start = matrix(y0)
    times = asked.grid.t0, asked.grid.t1
    found = Found(commutes=functions.says is True)
    sde, theta = equation(functions, args, start, times, (noise_type, sde_type), found)
    return solved(sde, theta, start, method=native_method(method), scheme=scheme, asked=asked, drive=drive)


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
    if not callable(drift):
        raise ValueError(f"drift is {shown(drift)}; needed: a function (t, y, args)")
    asked = asked_for(ts, steps, dt, rtol, atol)
    form = Form.of(y0)
    start = matrix(form.pack(y0))
    times = asked.grid.t0, asked.grid.t1
    ode, theta = equation(Functions(of_matrix(drift, form)), args, start, times, ("none", "stratonovich"))
    how = {"method": native_method(method), "scheme": scheme, "asked": asked, "drive": NoNoise()}
    return form.unpack(solved(ode, theta, start, **how))


def _drive(key: PRNGKeyArray | None, path: Path | Increment | None) -> AbstractDrive:
    if key is not None and path is None:
        return Drawn(key)
    if path is not None and key is None:
        return Given(path)
    raise ValueError(f"give either key or path, given {'neither' if key is None else 'both'}")


def matrix(y0: ArrayLike) -> Float[Array, "batch dim"]:
    """The initial state as an array with a type of its own. Raises ValueError where it isn't (batch, dim)."""
    y0 = jnp.asarray(y0)
    if y0.ndim != 2 or not all(y0.shape):
        raise ValueError(f"y0 has shape {y0.shape}; needed: (batch, dim), each at least 1")
    known("the type of y0", str(y0.dtype), DTYPES)
    return jax.lax.convert_element_type(y0, y0.dtype)  # not the weak type of a Python number
