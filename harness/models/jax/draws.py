"""Random numbers of float32 in a loss that is evaluated in float64."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

OF_KEYS = {"clone", "fold_in", "key_data", "key_impl", "split"}
"""The functions of `jax.random` that take a key and draw nothing."""
NARROW = {
    np.dtype(wide): np.dtype(narrow)
    for wide, narrow in (
        ("float64", "float32"),
        ("int64", "int32"),
        ("uint64", "uint32"),
        ("complex128", "complex64"),
    )
}


@contextmanager
def drawn_in_single() -> Generator[None, None, None]:
    """Within it the samplers of `jax.random` draw what they draw without x64. Their floats are made float64.

    JAX draws other numbers where it draws float64. What is traced within it must not have been traced before: JAX
    would remember.
    """
    before = {name: getattr(jax.random, name) for name in samplers()}
    for name, sampler in before.items():
        setattr(jax.random, name, _in_single(sampler))
    try:
        yield
    finally:
        for name, sampler in before.items():
            setattr(jax.random, name, sampler)


def samplers() -> list[str]:
    """The functions of `jax.random` that draw: those whose first argument is a key."""
    return [
        name
        for name, function in vars(jax.random).items()
        if inspect.isfunction(function)
        and name not in OF_KEYS
        and next(iter(inspect.signature(function).parameters), "").startswith("key")
    ]


def _in_single(sampler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(sampler)
    def draw(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = jax.tree.map(_narrow, (args, kwargs), is_leaf=lambda x: x is None)
        with jax.enable_x64(False):
            drawn = sampler(*args, **kwargs)
        return jnp.asarray(drawn, "float64") if drawn.dtype == np.float32 else drawn

    return draw


def _narrow(argument: Any) -> Any:
    """An array or a type, as it is without x64."""
    if isinstance(argument, jax.Array | np.ndarray | np.generic):
        if jnp.issubdtype(argument.dtype, jax.dtypes.prng_key):
            return argument
        return argument.astype(NARROW.get(np.dtype(argument.dtype), argument.dtype))
    if isinstance(argument, type | np.dtype) or hasattr(argument, "dtype"):  # float, np.float64, jnp.float64
        return NARROW.get(jnp.dtype(argument), argument)
    return argument
