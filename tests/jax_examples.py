"""The examples in JAX as hand-written scripts: diffrax itself, on the noise of the harness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jax_probed import case_of, path_for

import harness
from harness.brownian.diffrax_path import InjectedBrownian
from harness.brownian.path import increments_on
from harness.grid import Grid
from harness.models.facts import ModelFacts
from harness.models.jax.probe import probe
from harness.models.source import Source

EXAMPLES = Path(harness.__file__).parents[1] / "docs" / "examples"
CASES = {
    "generator.py:generator": ("general", "stratonovich", "heun", 8),
    "latent_sde_jax.py:latent_sde": ("diagonal", "ito", "euler", 22),
}
"""Noise, calculus, scheme and a small number of steps of each."""


class Diffrax:
    """Stands for `solve`: diffrax itself, on the shared path in place of the example's own one."""

    def __init__(self, facts: ModelFacts, steps: int) -> None:
        path = path_for(facts)
        assert path is not None
        grid = Grid.of_case(facts, case_of(facts, "jax/backprop", "heun", steps))
        self._times = grid.times
        self._dW = jnp.asarray(increments_on(path, grid)[0])
        self._keys = jax.random.key_data(jax.vmap(own_key)(jax.random.split(jax.random.key(1), facts.batch)))

    def diffeqsolve(self, terms: Any, solver: Any, *given: Any, **options: Any) -> diffrax.Solution:
        """A sample is known by the key of its path."""
        drift, noise = terms.terms
        index = jnp.argmax((self._keys == jax.random.key_data(noise.control.key)).all(1))
        t0, t1, _, *others = given
        path = InjectedBrownian(
            W=self._dW[:, index], H=self._dW[:, index], times=jnp.asarray(self._times), t0=t0, t1=t1
        )
        posed = diffrax.MultiTerm(drift, diffrax.ControlTerm(noise.vector_field, path))
        controller = diffrax.StepTo(ts=self._times)
        return diffrax.diffeqsolve(posed, solver, t0, t1, None, *others, stepsize_controller=controller, **options)


def own_key(key: jax.Array) -> jax.Array:
    """That of the Brownian path that both examples make of a sample's key."""
    return diffrax.VirtualBrownianTree(0.0, 1.0, tol=1e-3, shape=(1,), key=jax.random.split(key)[1]).key


def found(spec: str, settings: Mapping[str, object]) -> ModelFacts:
    """What the probe finds of an example."""
    source, _ = Source.of(spec, EXAMPLES)
    return probe(source, source.model(), dict(settings), seed=0, device="cpu")


def script(facts: ModelFacts, steps: int) -> Callable[[], tuple[jax.Array, Any]]:
    """The loss and its gradient by every parameter, as a script computes them: one compiled function."""
    built: Any = facts.source.model().factory(Diffrax(facts, steps), **dict(facts.settings))
    loss, model = built
    floats, rest = eqx.partition(model, eqx.is_inexact_array)
    compiled = jax.jit(jax.value_and_grad(lambda floats: loss(eqx.combine(floats, rest))))
    return lambda: jax.block_until_ready(compiled(floats))
