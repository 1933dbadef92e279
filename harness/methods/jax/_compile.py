"""Ahead-of-time compilation of a gradient, for the native JAX methods and for diffrax."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import PyTree, PyTreeDef

from harness.brownian.jax_noise import noise_argument
from harness.brownian.path import SharedPath
from harness.initial import initial_values
from harness.method import Gradient
from harness.methods.jax._compiler_options import compiler_options
from harness.methods.jax._solve import JaxSolve

Function = Callable[..., tuple[PyTree, ...]]
"""(solve, y0, theta, noise, *extra) -> (loss, ∂L/∂θ, ∂L/∂y0), and the evaluations of f where it counts them."""
PROGRAMS = 16
"""Compiled programs that are kept: the references of a block need one for each scheme, on path after path."""


@dataclass(frozen=True)
class CompiledGradient:
    """A compiled gradient with the arguments that it is called with."""

    executable: jax.stages.Compiled
    arguments: tuple[PyTree, ...]

    def __call__(self) -> Gradient:
        """Dispatch it; the result may not have been computed yet."""
        loss, theta, y0, *evaluations = self.executable(*self.arguments)
        return Gradient(loss, theta, y0, *evaluations)

    def temp_bytes(self) -> int | None:
        """XLA's own count of the temporary memory, where the platform has one."""
        analysis = self.executable.memory_analysis()
        return None if analysis is None else int(analysis.temp_size_in_bytes)

    def planned_bytes(self) -> int | None:
        """What XLA plans to allocate for a call: temporary memory and results, where the platform has a count."""
        analysis = self.executable.memory_analysis()
        return None if analysis is None else int(analysis.temp_size_in_bytes + analysis.output_size_in_bytes)


@functools.lru_cache(maxsize=PROGRAMS)
def _executable(
    function: Function,
    solve: JaxSolve,
    leaves: tuple[jax.ShapeDtypeStruct, ...],
    tree: PyTreeDef,  # pyright: ignore[reportInvalidTypeForm] - it has no stubs
) -> jax.stages.Compiled:
    """Compile for arguments of these shapes; another sample of the noise so compiles nothing anew."""
    lowered = jax.jit(functools.partial(function, solve)).lower(*tree.unflatten(leaves))
    return lowered.compile(compiler_options(solve.case, lowered))


def compile_gradient(function: Function, solve: JaxSolve, path: SharedPath | None, *extra: PyTree) -> CompiledGradient:
    """Trace and compile `function` for a case. A second path of the same case meets the same executable.

    `extra` are trees of arrays that the function takes after the noise, here made of the case's precision.
    """
    case = solve.case
    if case.dtype == "float64" and not jax.config.read("jax_enable_x64"):
        raise RuntimeError("float64 in JAX needs jax_enable_x64 before anything is traced")
    y0, theta = initial_values(solve.problem, case.batch, case.seed)
    device = jax.devices("gpu" if case.device == "cuda" else "cpu")[0]
    arguments = jax.device_put(
        (
            jnp.asarray(y0, case.dtype),
            {name: jnp.asarray(value, case.dtype) for name, value in theta.items()},
            noise_argument(case, solve.problem.noise_dim, solve.stepping, path, levy_area=solve.scheme.needs_levy_area),
            *jax.tree.map(lambda x: jnp.asarray(x, case.dtype), extra),
        ),
        device,
    )
    leaves, tree = jax.tree.flatten(arguments)
    shapes = tuple(jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding) for x in leaves)
    return CompiledGradient(_executable(function, solve, shapes, tree), arguments)
