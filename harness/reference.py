"""The reference: the gradient that errors are measured against, float64, with its own error bar.

Two of them, on one shared path. `continuous` is the gradient of the problem itself: from the closed form where there is
one, else from a much finer grid of the same path, at two resolutions whose distance is the bar. `discrete` is the
gradient of the very solve that a case asks for: backpropagation through the same scheme and steps, in float64.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.schemes.heun import Heun
from harness.schemes.rk4 import RK4
from harness.terms import Terms

ROUNDING = 1e-14
"""The bar of a closed form: what float64 may lose in evaluating and differentiating it, relative."""
FINE_STEPS = {"none": 2**12, "additive": 2**14, "scalar": 2**14, "diagonal": 2**15, "general": 2**15}
"""The fine grid has at least so many steps, and at least FINER times those of the case."""
FINER = 16
CHUNK = 256
"""Steps of the fine grid that are held at a time."""


@dataclass(frozen=True)
class Reference:
    """A gradient and its error bar: relative L2, the larger of those for θ and y0."""

    gradient: GradientArrays
    error: float


def continuous(problem: AbstractProblem, case: Case, path: SharedPath) -> Reference:
    """The gradient of the continuous-time problem on the path."""
    y0, theta = initial_values(problem, case.batch, case.seed)
    closed = _closed_form(problem, case, path, y0, theta)
    if closed is not None:
        return Reference(closed, ROUNDING)
    fine = case.steps
    while fine < max(FINE_STEPS[problem.noise], FINER * case.steps):
        fine *= 2
    # A quarter of the steps has at least twice the error, even at order ½, so that the distance bounds the finer one's.
    best, coarse = (_fine_grid(problem, case, path, y0, theta, steps) for steps in (fine, fine // 4))
    distance = max(relative_error(coarse.theta, best.theta), relative_error(coarse.y0, best.y0))
    return Reference(best, max(distance, ROUNDING))


def discrete(problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath) -> GradientArrays:
    """The float64 gradient of the case's own discrete solve."""
    from harness.methods.jax.backprop import Backprop

    exact = replace(case, method=Backprop.name, dtype="float64", device="cpu", brownian="shared", threads=1)
    gradient = Backprop().build(problem, scheme, exact, path)()
    return GradientArrays.of(gradient.loss, dict(gradient.theta), gradient.y0)


def _closed_form(
    problem: AbstractProblem, case: Case, path: SharedPath, y0: np.ndarray, theta: dict[str, np.ndarray]
) -> GradientArrays | None:
    """The gradient of the loss of the exact solution, None where there is no closed form."""
    times = problem.t0 + (problem.t1 - problem.t0) * np.arange(1, case.observations + 1) / case.observations
    W: list[Any] = [None] * case.observations
    if problem.noise != "none":
        stride = case.steps // case.observations
        W = list(np.cumsum(path.increments(case.steps)[0], axis=0)[stride - 1 :: stride])
    if problem.solution(np, times[-1], W[-1], y0, theta) is None:
        return None

    def loss(y0: Any, theta: Any) -> Any:
        states = [problem.solution(jnp, t, w, y0, theta) for t, w in zip(times, W, strict=True)]
        return problem.loss(jnp, jnp.stack(states))

    value, (y0_bar, theta_bar) = jax.value_and_grad(loss, (0, 1))(jnp.asarray(y0), jax.tree.map(jnp.asarray, theta))
    return GradientArrays.of(value, theta_bar, y0_bar)


@dataclass(frozen=True)
class _Chunk:
    """Some steps of the fine grid as one differentiable function; hashable, so that it is traced once."""

    problem: AbstractProblem
    scheme: AbstractScheme
    dt: float

    def __call__(self, y: Any, theta: Any, t: Any, dWs: Any, count: int) -> Any:
        """The state after `count` steps from time t. Each step is recomputed in its gradient, not kept."""
        terms = Terms(jnp, self.problem, theta, stratonovich=True)

        @jax.checkpoint
        def step(y: Any, inputs: Any) -> tuple[Any, None]:
            n, dW = inputs
            (y,) = self.scheme.step(terms, t + n * self.dt, self.dt, (y,), dW)
            return y, None

        return jax.lax.scan(step, y, (jnp.arange(count), dWs))[0]


@functools.partial(jax.jit, static_argnums=(0, 5))
def _forward(chunk: _Chunk, y: Any, theta: Any, t: Any, dWs: Any, count: int) -> Any:
    return chunk(y, theta, t, dWs, count)


@functools.partial(jax.jit, static_argnums=(0, 5))
def _backward(chunk: _Chunk, y: Any, theta: Any, t: Any, dWs: Any, count: int, y_bar: Any) -> Any:
    _, vjp = jax.vjp(lambda y, theta: chunk(y, theta, t, dWs, count), y, theta)
    return vjp(y_bar)


def _fine_grid(
    problem: AbstractProblem,
    case: Case,
    path: SharedPath,
    y0: np.ndarray,
    theta: dict[str, np.ndarray],
    steps: int,
) -> GradientArrays:
    """The gradient on a fine grid: RK4 for an ODE, else Heun on the Stratonovich form. Memory is that of a chunk.

    Only the state at the start of every chunk is kept; the path is made again for the backward sweep.
    """
    stride = steps // case.observations
    count = next(n for n in range(min(CHUNK, stride), 0, -1) if stride % n == 0)
    dt = (problem.t1 - problem.t0) / steps
    chunk = _Chunk(problem, RK4() if problem.noise == "none" else Heun(), dt)
    parameters = jax.tree.map(jnp.asarray, theta)

    def arguments(start: int) -> tuple[Any, Any]:
        dWs = None if problem.noise == "none" else jnp.asarray(path.increments(steps, start, start + count)[0])
        return problem.t0 + start * dt, dWs

    y = jnp.asarray(y0)
    starts, ys = [], []
    for start in range(0, steps, count):
        starts.append(y)
        t, dWs = arguments(start)
        y = _forward(chunk, y, parameters, t, dWs, count)
        if (start + count) % stride == 0:
            ys.append(y)
    loss, cotangents = jax.value_and_grad(functools.partial(problem.loss, jnp))(jnp.stack(ys))
    y_bar, theta_bar = jnp.zeros_like(y), jax.tree.map(jnp.zeros_like, parameters)
    for start in reversed(range(0, steps, count)):
        if (start + count) % stride == 0:
            y_bar = y_bar + cotangents[(start + count) // stride - 1]
        t, dWs = arguments(start)
        y_bar, product = _backward(chunk, starts.pop(), parameters, t, dWs, count, y_bar)
        theta_bar = jax.tree.map(jnp.add, theta_bar, product)
    return GradientArrays.of(loss, theta_bar, y_bar)


class ReferenceCache:
    """References on disk, each known by a digest of all that it depends on.

    The code is part of it (this module, the path, the problem, the schemes), and so are the versions of jax and numpy:
    a stale entry can't be met. A damaged file is computed anew.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_cache_folder()

    def get(self, key: str, compute: Callable[[], Reference]) -> Reference:
        """The entry, computed and stored where it isn't there or can't be read."""
        path = self.folder / f"{key}.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                gradient = GradientArrays(float(data["loss"]), data["theta"], data["y0"])
                return Reference(gradient, float(data["error"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            reference = compute()
        gradient = reference.gradient
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f"{key}.{os.getpid()}.tmp")
            with temporary.open("wb") as file:
                np.savez(file, loss=gradient.loss, theta=gradient.theta, y0=gradient.y0, error=reference.error)
            temporary.replace(path)
        except OSError:
            pass  # A cache that can't be written costs time, not results.
        return reference


_DEPENDS_ON = (
    "reference",
    "random",
    "initial",
    "terms",
    "correction",
    "brownian.path",
    "schemes._runge_kutta",
    "schemes.heun",
    "schemes.rk4",
)


def default_cache_folder() -> Path:
    """$GRADIENT_HARNESS_CACHE, else the user's cache folder (XDG)."""
    own = os.environ.get("GRADIENT_HARNESS_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "gradient-harness" / "references"


def cache_key(problem: AbstractProblem, case: Case, path: SharedPath) -> str:
    """The digest of all that the continuous reference depends on. Method, scheme and precision are not among it."""
    modules = [importlib.import_module(f"harness.{name}") for name in _DEPENDS_ON]
    parts = [inspect.getsource(module) for module in modules]
    parts += [inspect.getsource(inspect.getmodule(type(problem)) or type(problem))]
    parts += [jax.__version__, np.__version__]
    parts += [repr(item) for item in (problem, path, case.batch, case.observations, case.steps, case.seed)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
