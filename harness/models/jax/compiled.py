"""A model's gradient, compiled ahead of time."""

from __future__ import annotations

import functools

import jax
from jaxtyping import Array

from harness.brownian.jax_noise import NoiseArgument
from harness.case import Case
from harness.methods.jax._compile import CompiledGradient
from harness.methods.jax._compiler_options import compiler_options
from harness.models.jax.instance import Instance
from harness.models.jax.solve import AbstractSolver


class Compiled:
    """Programs of one model by what they are called with: another path, or other parameters, compile nothing anew.

    At most `most` are kept.
    """

    def __init__(self, instance: Instance, most: int = 4) -> None:
        self._instance, self._most = instance, most
        self._executables: dict[tuple[object, ...], jax.stages.Compiled] = {}

    def gradient(
        self, solver: AbstractSolver, case: Case, theta: dict[str, Array], noise: NoiseArgument
    ) -> CompiledGradient:
        """The loss and its gradient by this solver, which is a value that knows its equals, with these arguments."""
        arguments = jax.device_put((theta, noise), device_of(case.device))
        leaves, tree = jax.tree.flatten(arguments)
        shapes = tuple((x.shape, str(x.dtype)) for x in leaves)
        key = (solver, case, shapes, tree, jax.config.read("jax_enable_x64"))
        if key not in self._executables:
            while len(self._executables) >= self._most:
                self._executables.pop(next(iter(self._executables)))
            self._executables[key] = self._compiled(solver, case, arguments)
        return CompiledGradient(self._executables[key], arguments)

    def _compiled(
        self, solver: AbstractSolver, case: Case, arguments: tuple[dict[str, Array], NoiseArgument]
    ) -> jax.stages.Compiled:
        lowered = jax.jit(functools.partial(self._instance.value_and_grad, solver)).lower(*arguments)
        return lowered.compile(compiler_options(case, lowered))


def device_of(device: str) -> jax.Device:  # pyright: ignore[reportInvalidTypeForm] - a variable in its stubs
    """The first of its kind."""
    return jax.devices("gpu" if device == "cuda" else "cpu")[0]
