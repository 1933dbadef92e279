"""A solve of one sample under `jax.vmap` as a solve of all samples: the methods take a batch, (batch, dim).

What is mapped is found by `jax.custom_batching.custom_vmap`, whose rule JAX calls where a function meets `vmap`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float, PyTree

from harness.brownian.jax_noise import NoiseArgument, is_key
from harness.errors import ProblemError
from harness.jax._opened import Opened
from harness.jax._per_sample import PerSample
from harness.models.jax.call import Call

NESTED = "solve is called under two jax.vmap: map over all samples at once, and reshape what comes back"


def samples_of(arrays: Sequence[Array]) -> int | None:
    """The number of samples that `jax.vmap` maps over here, None where none of these arrays is mapped."""
    found: list[int] = []

    @custom_vmap
    def seen(arrays: Sequence[Array]) -> Float[Array, ""]:
        del arrays
        return jnp.zeros(())

    @seen.def_vmap
    def rule(size: int, mapped: PyTree, arrays: Sequence[Array]) -> tuple[Float[Array, ""], bool]:
        del mapped, arrays
        found.append(size)
        return jnp.zeros(()), False

    seen(_without_derivative(arrays))
    return found[0] if found else None


def not_mapped_later(noise: NoiseArgument, arrays: Sequence[Array], problem: str) -> NoiseArgument:
    """The noise, for a solve that must not be mapped: where it is after all, that raises ProblemError.

    So it is where a compiled function has the solve in it and is mapped itself: it was traced before.
    """
    if noise is None:
        return None

    @custom_vmap
    def same(noise: NoiseArgument, arrays: Sequence[Array]) -> NoiseArgument:
        del arrays
        return noise

    @same.def_vmap
    def rule(*_: object) -> NoReturn:
        raise ProblemError(problem)

    return same(noise, _without_derivative(arrays))


def noise_of_sample(noise: NoiseArgument, arrays: Sequence[Array]) -> NoiseArgument:
    """That of the sample which is solved here, one of the batch under `vmap`: without the axis of the batch."""
    if noise is None:
        return None

    def apart(noise: NoiseArgument, size: int) -> NoiseArgument:
        if is_key(noise):
            return jax.random.split(noise, size)
        return jax.tree.map(lambda x: jnp.moveaxis(x, 1, 0), noise)

    @custom_vmap
    def own(noise: NoiseArgument, arrays: Sequence[Array]) -> NoiseArgument:
        del arrays
        return jax.tree.map(lambda x: x[0], apart(noise, 1))

    @own.def_vmap
    def rule(size: int, mapped: PyTree, noise: NoiseArgument, arrays: Sequence[Array]) -> tuple[NoiseArgument, PyTree]:
        del arrays
        if any(jax.tree.leaves(mapped[0])):
            raise ProblemError(NESTED)
        return apart(noise, size), jax.tree.map(lambda _: True, noise)

    return own(noise, _without_derivative(arrays))


Solve = Callable[[Call], PyTree]
"""A call of a batch -> its states, (times, batch, …)."""


def over_samples(call: Call, solve: Solve) -> PyTree:
    """The states of the sample that is solved here, (times, …), from one solve of all samples.

    Where nothing is mapped a state (dim,) is a batch of one sample; an ODE is solved as it is.
    """
    of_arrays, closed_over = opened(call)
    if samples_of((*call.arrays(), *closed_over)) is None:
        if not call.single:
            return solve(call)
        one = call.functions.each(lambda f: PerSample(f, None))
        y0 = jax.tree.map(lambda x: x[None], of_arrays.y0)
        states = solve(replace(call, functions=one, y0=y0, single=False))
        return jax.tree.map(lambda x: jnp.squeeze(x, 1), states)

    @custom_vmap
    def solved(y0: PyTree, closed_over: tuple[Array, ...], depends: tuple[Array, ...]) -> PyTree:
        del closed_over, depends  # it is met by `vmap`, whose rule is below: this tells the shapes
        return zero_states(call, y0)

    @solved.def_vmap
    def rule(
        size: int, mapped: PyTree, y0: PyTree, closed_over: tuple[Array, ...], depends: tuple[Array, ...]
    ) -> tuple[PyTree, PyTree]:
        if samples_of([*jax.tree.leaves(y0), *closed_over, *depends]) is not None:
            raise ProblemError(NESTED)
        y0 = jax.tree.map(lambda x, own: x if own else jnp.broadcast_to(x, (size, *x.shape)), y0, mapped[0])
        axes = tuple(0 if own else None for own in mapped[1])
        batched = of_arrays.functions.each(lambda f: _mapped(f, axes))
        states = solve(replace(call, functions=batched, y0=y0, args=closed_over, single=False, depends=()))
        return jax.tree.map(lambda x: jnp.moveaxis(x, 1, 0), states), jax.tree.map(lambda _: True, states)

    return solved(of_arrays.y0, closed_over, call.depends)


def zero_states(call: Call, y0: PyTree) -> PyTree:
    """States of the right shapes at all times."""
    return jax.tree.map(lambda x: jnp.zeros((len(call.schedule.times), *jnp.shape(x)), jnp.result_type(x)), y0)


def opened(call: Call) -> tuple[Call, tuple[Array, ...]]:
    """The call with y0 of arrays and functions of type `Opened`, and all traced arrays that these read."""
    y0 = jax.tree.map(jnp.asarray, call.y0)
    dtype = jnp.result_type(*jax.tree.leaves(y0))
    t, y = jnp.zeros((), dtype), jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), y0)
    closed_over: dict[int, Array] = {}

    def open_(function: Callable[..., PyTree]) -> OpenedField:
        return OpenedField(Opened.of(lambda t, y: function(t, y, call.args), (t, y), closed_over))

    return replace(call, y0=y0, functions=call.functions.each(open_)), tuple(closed_over.values())


@dataclass(frozen=True, eq=False)
class OpenedField:
    """A vector field, the traced arrays that it reads being its args."""

    function: Opened

    def __call__(self, t: Float[Array, ""], y: PyTree, args: Sequence[Array]) -> PyTree:
        """At one time and state."""
        return self.function(args, t, y)


def _mapped(function: Callable[..., PyTree], axes: tuple[int | None, ...]) -> Callable[..., PyTree]:
    """Of a batch, the args being mapped over these axes."""

    def batched(t: Float[Array, ""], y: PyTree, args: tuple[Array, ...]) -> PyTree:
        return jax.vmap(lambda y, args: function(t, y, args), (0, axes))(y, args)

    return batched


def _without_derivative(arrays: Sequence[Array]) -> list[Array]:
    return [jax.lax.stop_gradient(x) if jnp.issubdtype(x.dtype, jnp.inexact) else x for x in arrays]
