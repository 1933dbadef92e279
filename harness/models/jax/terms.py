"""diffrax's terms as the equation that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import lineax
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, PyTree

from harness.errors import ProblemError, shown
from harness.jax._equation import Functions, says_of
from harness.models.jax.call import Call, Schedule, concrete

NEEDED = "needed: ODETerm(f), or MultiTerm(ODETerm(f), ControlTerm(g, a Brownian path))"
UNSUPPORTED = ("dense", "solver_state", "controller_state", "made_jump")


def schedule_of(t0: object, t1: object, saveat: Any) -> Schedule:
    """The times of a solve from t0 to t1, and those that `saveat` asks for. Raises ProblemError."""
    saveat = diffrax.SaveAt(t1=True) if saveat is None else saveat
    if not isinstance(saveat, diffrax.SaveAt):
        raise ProblemError(f"solve.diffeqsolve: saveat is {shown(saveat)}; needed: diffrax.SaveAt(ts=…)")
    for name in UNSUPPORTED:
        if getattr(saveat, name):
            raise ProblemError(f"solve.diffeqsolve: SaveAt({name}=…) is not supported; allowed: ts, t0, t1")
    sub = saveat.subs
    if not isinstance(sub, diffrax.SubSaveAt):
        raise ProblemError("solve.diffeqsolve: SaveAt(subs=…) is not supported; allowed: ts, t0, t1")
    if sub.steps:
        raise ProblemError("solve.diffeqsolve: SaveAt(steps=…) is not supported; allowed: ts, t0, t1")
    if sub.fn is not diffrax.SubSaveAt(t1=True).fn:
        raise ProblemError("solve.diffeqsolve: SaveAt(fn=…) is not supported: apply the function to sol.ys")
    ts = np.zeros(0) if sub.ts is None else concrete("SaveAt(ts=…)", sub.ts)
    dtype = ts.dtype if ts.size else np.dtype(np.float64)
    start, end = (concrete(name, t).astype(dtype).reshape(()) for name, t in (("t0", t0), ("t1", t1)))
    sign = 1 if end > start else -1
    times = sign * np.unique(sign * np.concatenate([start[None], ts, end[None]]))
    if times[0] != start or times[-1] != end:
        raise ProblemError(f"SaveAt(ts=…) has times outside of [{float(start):g}, {float(end):g}]")
    wanted = np.concatenate([start[None][: sub.t0], ts, end[None][: sub.t1]])
    return Schedule.of(times, np.searchsorted(sign * times, sign * wanted))


def asked(solver: Any, dt0: Any, controller: Any) -> dict[str, Any]:
    """What the model asks for itself: the scheme, the step and the tolerances, where they are known.

    Raises ProblemError where the solver is none.
    """
    if not isinstance(solver, diffrax.AbstractSolver):
        raise ProblemError(f"solve.diffeqsolve: solver is {shown(solver)}; needed: a solver, such as diffrax.Heun()")
    found: dict[str, Any] = {"method": type(_unwrapped(solver)).__name__}
    for name, value in (("dt", dt0), *((name, getattr(controller, name, None)) for name in ("rtol", "atol"))):
        if isinstance(value, int | float | np.ndarray | np.generic | jax.Array):
            found[name] = None if isinstance(value, Tracer) or np.ndim(value) else abs(float(value))
    return found


def call_of(terms: Any, solver: Any, schedule: Schedule, y0: PyTree, args: PyTree, how: dict[str, Any]) -> Call:
    """What is solved; `how` is what was `asked` for. Raises ProblemError where a term is none that can be taken."""
    depends = tuple(x for x in jax.tree.leaves(terms) if isinstance(x, jax.Array))
    if isinstance(terms, diffrax.ODETerm):
        drift = Functions(terms.vf)
        return Call(drift, y0, args, "none", "stratonovich", schedule, depends=depends, **how)
    drift, control = _parts(terms)
    if len(jax.tree.leaves(y0)) != 1 or jax.tree.structure(y0) != jax.tree.structure(0):
        raise ProblemError("solve.diffeqsolve: the state of an SDE must be one array")
    y0 = jnp.asarray(y0)
    noise, diffusion = _diffusion(control, y0, args, schedule)
    single = y0.ndim == 1
    try:
        says = says_of(control.vector_field)
    except ValueError as error:
        raise ProblemError(f"solve.diffeqsolve: {error}") from error
    functions = Functions(drift.vf, diffusion)
    return Call(functions, y0, args, noise, _calculus(solver), schedule, single, depends, says, **how)


def _parts(terms: Any) -> tuple[Any, Any]:
    """The drift and the control term."""
    if not isinstance(terms, diffrax.MultiTerm):
        advice = ""
        if isinstance(terms, diffrax.ControlTerm) and not isinstance(terms.control, diffrax.AbstractBrownianPath):
            advice = "; of a differentiable control, its to_ode() is an ODETerm"
        raise ProblemError(f"solve.diffeqsolve: terms is {type(terms).__name__}; {NEEDED}{advice}")
    drifts = [term for term in terms.terms if isinstance(term, diffrax.ODETerm)]
    controls = [term for term in terms.terms if isinstance(term, diffrax.ControlTerm)]
    if len(terms.terms) != 2 or len(drifts) != 1 or len(controls) != 1:
        names = ", ".join(type(term).__name__ for term in terms.terms)
        raise ProblemError(f"solve.diffeqsolve: terms is MultiTerm({names}); {NEEDED}")
    if not isinstance(controls[0].control, diffrax.AbstractBrownianPath):
        name = type(controls[0].control).__name__
        raise ProblemError(
            f"solve.diffeqsolve: the control is {name}; needed: a Brownian path, such as VirtualBrownianTree"
        )
    return drifts[0], controls[0]


def _diffusion(
    control: Any, y0: Array, args: PyTree, schedule: Schedule
) -> tuple[str, Callable[[Float[Array, ""], Array, PyTree], Array]]:
    """The noise type, by what the vector field gives, and g as the harness takes it."""
    t0 = jnp.asarray(schedule.times[0], y0.dtype)
    shape = jax.eval_shape(lambda t, y: control.vf(t, y, args), t0, y0)
    brownian = control.control.shape
    noise_shape = getattr(brownian, "shape", brownian)

    def g(t: Float[Array, ""], y: Array, args: PyTree) -> Any:
        return control.vf(t, y, args)

    if isinstance(shape, lineax.DiagonalLinearOperator):
        return "diagonal", _checked(lambda t, y, args: g(t, y, args).diagonal, y0, noise_shape)
    if y0.ndim != 1:
        raise ProblemError(
            f"solve.diffeqsolve: the state has shape {y0.shape}, and the noise isn't diagonal; needed: the state of one"
            " sample, (dim,), under jax.vmap over the samples"
        )
    if isinstance(shape, lineax.AbstractLinearOperator):
        noise = "scalar" if shape.in_size() == 1 else "general"
        return noise, lambda t, y, args: g(t, y, args).as_matrix()
    if noise_shape == ():
        return "scalar", lambda t, y, args: g(t, y, args)[:, None]
    if not isinstance(noise_shape, tuple) or len(noise_shape) != 1:
        raise ProblemError(f"solve.diffeqsolve: the Brownian path has shape {noise_shape}; needed: () or (noise_dim,)")
    if shape.shape != (*y0.shape, *noise_shape):
        raise ProblemError(
            f"solve.diffeqsolve: the control's vector field gives {shape.shape}; needed {(*y0.shape, *noise_shape)}, as"
            f" the state has shape {y0.shape} and the Brownian path {noise_shape}"
        )
    return "scalar" if noise_shape[0] == 1 else "general", g


def _checked(g: Callable[..., Array], y0: Array, noise_shape: object) -> Callable[..., Array]:
    """The diagonal, if the Brownian motions are as many as the state has entries."""
    if noise_shape != y0.shape:
        raise ProblemError(
            f"solve.diffeqsolve: the Brownian path has shape {noise_shape}; needed for diagonal noise: that of the"
            f" state, {y0.shape}"
        )
    return g


def _calculus(solver: Any) -> str:
    """To which solution the solver converges. Raises ProblemError for one that is for ODEs."""
    inner = _unwrapped(solver)
    if isinstance(inner, diffrax.AbstractItoSolver):
        return "ito"
    if isinstance(inner, diffrax.AbstractStratonovichSolver):
        return "stratonovich"
    raise ProblemError(
        f"solve.diffeqsolve: {type(inner).__name__} converges to neither the Itô nor the Stratonovich solution of an"
        " SDE; needed: a solver that says which SDE is meant, such as Euler (Itô) or Heun (Stratonovich)"
    )


def _unwrapped(solver: Any) -> Any:
    return solver.solver if isinstance(solver, diffrax.HalfSolver) else solver
