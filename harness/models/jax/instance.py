"""A model that has been built: its loss as a function of its parameters by name, and of the noise."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from harness.brownian.jax_noise import NoiseArgument
from harness.errors import ProblemError, shown
from harness.initial import Values
from harness.models.declared import Model
from harness.models.jax.call import Schedule
from harness.models.jax.solve import AbstractSolver, Solve

LOSS = 1
"""Added to the seed for what the loss draws."""
Theta = dict[str, Array]
"""The parameters by their place in the tree, as `jax.tree_util.keystr` writes it."""


_EVALUATION = jax.make_user_context(0) if hasattr(jax, "make_user_context") else None
_NUMBERS = itertools.count(1)


def _traced_anew() -> AbstractContextManager[None]:
    """Within it JAX knows no program from before: a loss that the model compiles itself would have another solver's.

    JAX before 0.8 has no such context. There the model must not compile its loss.
    """
    return nullcontext() if _EVALUATION is None else _EVALUATION(next(_NUMBERS))


def seed_everything(seed: int) -> None:
    """The generators that a model may draw from and that aren't JAX's, whose keys are the model's own."""
    np.random.seed(seed % 2**32)
    random.seed(seed)


class Instance:
    """A model built with a seed. Raises ProblemError where it is malformed, and whatever the model raises.

    Its loss is rehearsed once, with states of zeros, so that the times of its solve are known.
    """

    def __init__(self, model: Model, settings: Mapping[str, object], seed: int) -> None:
        self._seed = seed
        self._solve = Solve()
        seed_everything(seed)
        built = model.factory(self._solve, **settings)
        if not isinstance(built, tuple) or len(built) != 2 or not callable(built[0]):
            raise ProblemError(
                f"{model.name} must return a pair: the loss, a function of the parameters, and the parameters, a tree"
                f" of arrays; given: {shown(built)}"
            )
        if self._solve.calls:
            raise ProblemError(f"{model.name} solves while it is built: call solve within the loss that it returns")
        self._loss: Callable[[Any], object] = built[0]
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(built[1])
        self._leaves = [(jax.tree_util.keystr(path) or "parameters", leaf) for path, leaf in leaves]
        self.theta: Theta = {name: jnp.asarray(x) for name, x in self._leaves if _is_parameter(name, x, model.name)}
        if not self.theta:
            raise ProblemError(
                f"{model.name} returns no parameter: the second value has no array of real numbers, {shown(built[1])}"
            )
        self._rehearse()

    @property
    def schedule(self) -> Schedule:
        """The times of the solve."""
        assert self._solve.schedule is not None  # or the rehearsal would have raised
        return self._solve.schedule

    def loss(self, solver: AbstractSolver, theta: Theta, noise: NoiseArgument) -> Float[Array, ""]:
        """The loss, a scalar, its solve done by `solver`. Raises ProblemError where it is none, or has no solve."""
        with self._solve.by(solver, noise):
            return self._evaluated(theta)

    def value_and_grad(
        self, solver: AbstractSolver, theta: Theta, noise: NoiseArgument
    ) -> tuple[Float[Array, ""], Theta, Float[Array, " none"]]:
        """The loss, its gradient by every parameter, and none by y0, which is computed. To be compiled."""
        value, gradient = jax.value_and_grad(lambda theta: self.loss(solver, theta, noise))(theta)
        return value, gradient, jnp.zeros((0,), value.dtype)

    def values(self) -> Values:
        """The parameters, float64."""
        return Values(np.zeros(0), {name: np.array(x, np.float64) for name, x in self.theta.items()})

    def check(self, values: Values) -> None:
        """A model must start from the same parameters in every process. Raises ProblemError."""
        found = self.values().theta
        for name, value in values.theta.items():
            if name not in found or not np.array_equal(found[name], value):
                raise ProblemError(
                    f"the model's parameter {name} is another one in every process; its random numbers must come from a"
                    " key that is always the same, or from numpy or random, which are seeded before it is built"
                )

    def _evaluated(self, theta: Theta, *, anew: bool = True) -> Float[Array, ""]:
        seed_everything(self._seed + LOSS)
        self._solve.calls = 0
        leaves = [theta.get(name, leaf) for name, leaf in self._leaves]
        with _traced_anew() if anew else nullcontext():
            loss = self._loss(jax.tree.unflatten(self._structure, leaves))
        if isinstance(loss, tuple):
            raise ProblemError("the loss is a tuple; needed: a scalar alone, without auxiliary values")
        if not isinstance(loss, jax.Array | np.ndarray | np.generic):
            raise ProblemError(f"the loss is {shown(loss)}; needed: a scalar array")
        if loss.size != 1:
            raise ProblemError(f"the loss has shape {loss.shape}; needed: a scalar, as jnp.mean gives it")
        if self._solve.calls != 1:
            words = "doesn't call solve" if not self._solve.calls else f"calls solve {self._solve.calls} times"
            raise ProblemError(f"the loss {words}; needed: one call of solve.diffeqsolve, solve.sdeint or solve.odeint")
        if not jnp.issubdtype(loss.dtype, jnp.floating):
            raise ProblemError(f"the loss is of type {loss.dtype}; needed: real numbers")
        return jnp.reshape(jnp.asarray(loss), ())

    def _rehearse(self) -> None:
        """Find out the times of the solve, whose values `jit` would hide, and that they don't depend on the parameters.

        Without `jit`, so that the model's own doesn't hide them either and a loop calls the solve as often as it goes
        round; where that fails, with it.

        First JAX may use what it has compiled before: one by one, an evaluation's operations take longer to compile
        than to evaluate. Where what it knows holds the solve itself, as a `jax.checkpoint` may, no solve is counted.
        """
        for anew in (False, True):
            try:
                with jax.disable_jit():
                    jax.vjp(functools.partial(self._evaluated, anew=anew), self.theta)
                return
            except ProblemError:
                if anew or self._solve.calls:
                    raise
            except Exception:
                continue
        jax.vjp(self._evaluated, self.theta)


def _is_parameter(name: str, x: object, model: str) -> bool:
    """Whether a leaf has a derivative. Raises ProblemError for complex numbers."""
    if not isinstance(x, jax.Array | np.ndarray) or not jnp.issubdtype(x.dtype, jnp.inexact):
        return False
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        raise ProblemError(f"the parameter {name} of {model} is of type {x.dtype}; needed: real numbers")
    return True
