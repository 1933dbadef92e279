"""What is found of a model in JAX: its noise, its sizes, its parameters; and what it is given by `solve`."""

from __future__ import annotations

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax_probed import facts_of, facts_of_model

import harness.jax
from harness.jax._equation import Found
from harness.models.jax.instance import Instance
from harness.models.jax.solve import Solve
from harness.models.jax.structure import structure_of

Y = jnp.linspace(-1.0, 1.0, 6).reshape(3, 2)


def test_a_generator_of_one_sample_at_a_time():
    facts = facts_of("generator")
    assert (facts.noise, facts.calculus) == ("general", "stratonovich")
    assert (facts.batch, facts.dim, facts.noise_dim, facts.observations) == (4, 3, 2, 2)
    assert (facts.asked_scheme, facts.asked_dt) == ("Heun", 0.125)
    assert not facts.additive
    assert not facts.commutative


def test_an_ode_that_is_solved_backwards():
    facts = facts_of("backwards")
    assert (facts.noise, facts.decreasing) == ("none", True)
    assert (facts.t0, facts.t1, facts.batch, facts.dim) == (-1.0, 0.0, 3, 2)


def test_diagonal_noise_is_found_to_commute():
    facts = facts_of("weakly_diagonal")
    assert (facts.noise, facts.calculus, facts.batch) == ("diagonal", "ito", 4)
    assert facts.commutative
    assert facts.entries == 7


@pytest.mark.parametrize(
    ("g", "noise", "found"),
    [
        (lambda t, y: jnp.ones_like(y) * t, "diagonal", Found(reads_no_state=True)),
        (lambda _, y: jnp.sin(y), "diagonal", Found(commutes=True)),
        (lambda _, y: y @ jnp.ones((2, 2)), "diagonal", Found()),
        (lambda _, y: 0 * y[:, :, None], "general", Found()),
        (lambda t, _: jnp.ones((3, 2, 2)) * jnp.exp(t), "general", Found(reads_no_state=True)),
        (lambda _, y: jax.vmap(jax.jit(lambda _: jnp.ones(2)))(y), "diagonal", Found(reads_no_state=True)),
        (lambda _, y: jax.vmap(lambda y: jax.nn.relu(y[::-1]))(y), "diagonal", Found()),
    ],
    ids=["of time", "of its own entry", "of all entries", "zero times y", "a matrix", "compiled", "flipped"],
)
def test_the_structure_of_the_noise(g, noise, found):
    assert structure_of(g, noise, (0.0, 1.0), Y) == found


def test_the_noise_of_a_compiled_loss_is_found():
    """`jit` hides the arrays; the model is evaluated without."""

    @harness.jax.model
    def compiled(solve):
        @jax.jit
        def loss(p):
            ys = solve.sdeint(
                lambda _, y, __: -p * y, lambda _, y, __: p * y, Y, jnp.linspace(0, 1, 2), noise_type="diagonal"
            )
            return ys[-1].sum()

        return loss, jnp.array([0.1, 0.2])

    assert facts_of_model(compiled).commutes


TREES: dict[str, tuple[Any, list[str]]] = {
    "array": (jnp.ones(2), ["parameters"]),
    "numpy": (np.ones(2), ["parameters"]),
    "nested": ({"params": {"Dense_0": {"kernel": jnp.ones(2), "steps": 3}}}, ["['params']['Dense_0']['kernel']"]),
    "tuple": ((jnp.ones(2), jnp.arange(2), jnp.tanh, None, "text", 0.5, jax.random.key(0)), ["[0]"]),
}


@pytest.mark.parametrize("name", TREES)
def test_parameters_are_the_real_arrays_of_a_tree(name):
    tree, names = TREES[name]
    seen = []

    @harness.jax.model
    def model(solve: Solve):
        def loss(tree):
            seen.append(jax.tree.structure(tree))
            weight = next(x for x in jax.tree.leaves(tree) if jnp.ndim(x) == 1)
            return solve.odeint(lambda _, y, __: -weight * y, Y, [0.0, 1.0]).sum()

        return loss, tree

    instance = Instance(model, {}, 0)
    assert list(instance.theta) == names
    assert seen[0] == jax.tree.structure(tree)


@pytest.mark.parametrize(
    ("saveat", "ts"),
    [
        (None, [1.0]),
        (diffrax.SaveAt(t1=True), [1.0]),
        (diffrax.SaveAt(t0=True, t1=True), [0.0, 1.0]),
        (diffrax.SaveAt(ts=[0.25, 0.5]), [0.25, 0.5]),
        (diffrax.SaveAt(t0=True, ts=[0.0, 0.5, 1.0], t1=True), [0.0, 0.0, 0.5, 1.0, 1.0]),
    ],
    ids=["default", "t1", "t0 and t1", "within", "all"],
)
def test_a_solution_holds_what_that_of_diffrax_does(saveat, ts):
    how = {} if saveat is None else {"saveat": saveat}
    arguments = (diffrax.ODETerm(lambda _, y, __: jax.tree.map(jnp.sin, y)), diffrax.Heun(), 0.0, 1.0, 0.25, {"a": Y})
    found, library = Solve().diffeqsolve(*arguments, **how), diffrax.diffeqsolve(*arguments, **how)
    assert library.ts is not None
    assert found.ts.tolist() == library.ts.tolist() == ts
    assert jax.tree.map(jnp.shape, found.ys) == jax.tree.map(jnp.shape, library.ys)


def test_every_sample_has_noise_of_its_own():
    """All samples start alike: with one noise for all, they would stay so."""

    @harness.jax.model
    def spread(solve):
        def loss(p):
            def sample(key):
                path = diffrax.VirtualBrownianTree(0, 1, tol=0.1, shape=(), key=key)
                terms = diffrax.MultiTerm(
                    diffrax.ODETerm(lambda _, y, __: -y), diffrax.ControlTerm(lambda _, y, __: p * y, path)
                )
                return solve.diffeqsolve(terms, diffrax.Euler(), 0, 1, 0.5, jnp.ones(1)).ys[-1]

            return jnp.std(jax.vmap(sample)(jax.random.split(jax.random.key(0), 4)))

        return loss, jnp.array(1.0)

    facts = facts_of_model(spread)
    assert (facts.noise, facts.calculus, facts.batch) == ("scalar", "ito", 4)
    assert not facts.notes  # the gradient isn't zero: the loss is a multiple of p
