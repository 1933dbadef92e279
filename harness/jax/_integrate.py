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
    """Solve the SDE dY = f(t, Y; args) dt + g(t, Y; args) dW with a native gradient method.

    Returns the states at `ts`, (times, batch, dim), `y0` first. Raises ValueError if an argument is wrong or the method
    can't solve the equation, and NotImplementedError for a second derivative.

    The result has a reverse-mode derivative with respect to `y0` and to every float array in `args`, also under
    `jax.jit` and `jax.vmap`; there is no forward mode. `drift` and `diffusion` may be trees with arrays of their own,
    such as an `equinox.Module`, or close over traced arrays; these have a derivative too. `docs/methods` describes the
    methods.

    - `drift(t, y, args)` returns (batch, dim). `t` is a scalar array.
    - `diffusion(t, y, args)` returns the shapes of torchsde: (batch, dim) for diagonal noise, (batch, dim, 1) for
      scalar noise, (batch, dim, noise_dim) for additive and general noise. Additive noise is evaluated for the first
      row of `y` only, (1, dim, noise_dim), and used for all rows.
    - `y0`: (batch, dim), float32 or float64.
    - `ts`: (times,), increasing and known before `jit`. Each time is the end of a step.
    - `args`: any tree. Leaves that are neither arrays nor hashable are refused.
    - `noise_type`: "additive", "diagonal", "general" or "scalar"; `sde_type`: "ito" or "stratonovich".
    - `drift_and_diffusion(t, y, args)` returns both as a pair. Use it if they share work, such as a layer: a scheme
      that needs both at one state evaluates it once. `drift` and `diffusion` may then be None.
    - `diffusion.commutes`: set this attribute to True to declare that the noise commutes, which adaptive steps and
      schemes such as milstein need. Additive and scalar noise always commutes. The attribute may also belong to the
      object whose method `diffusion` is. If `drift_and_diffusion` is given, its attribute counts.
    - `method`: the gradient method: "backprop", "checkpoint", "recursive-checkpoint", "adjoint",
      "interpolating-adjoint", "reversible" or "ees".
    - `scheme`: the numerical scheme, a name of `harness list schemes`. Default: the method's first scheme that can
      solve the equation.
    - `steps`: the number of steps from the first time to the last. With equally spaced `ts` it must be a multiple of
      the number of intervals; otherwise the steps are distributed so that the longest one is as short as possible.
      Between two times all steps have the same length. Or `dt`: the length that no step exceeds.
    - `rtol`, `atol`: if one of them is above 0, the steps are adaptive. The error of a step is kept below
      atol + rtol |y|, in the root mean square over batch and dimensions. `steps` or `dt` then sets the length of the
      first step; the default is a hundredth of the interval. Only "backprop" and "adjoint" support this, and the noise
      must commute. If more than 4096 steps are needed, the states are NaN.
    - `key`: a PRNG key, from which the increments are drawn. It may be traced, so each training step can pass a new
      one. Adaptive steps use it for a virtual Brownian tree.
    - `path`: your own Brownian path instead of a key, for fixed steps only. `path(t0, t1)`, or `path.evaluate(t0, t1)`
      as in diffrax, returns W(t1) − W(t0), (batch, noise_dim). It is read once for each step, and has no derivative.
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
    """Solve the ODE dY = f(t, Y; args) dt with a native gradient method. The arguments are those of `sdeint`.

    `y0` is an array of any shape, or a tree of arrays of one dtype, and `drift` returns the same structure. Returns the
    states at `ts` in this structure, with one more axis in front of each array, for the times: (times, batch, dim) for
    `y0` of shape (batch, dim). The first state is `y0`.

    `method` may also be "symplectic-adjoint" or "alf". The error of an adaptive step is the root mean square over all
    entries of the state. Raises ValueError if an argument is wrong, and NotImplementedError for a second derivative.
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
