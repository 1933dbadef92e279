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
from harness.errors import ProblemError
from harness.jax._equation import Found
from harness.models.jax.instance import Instance
from harness.models.jax.solve import Solve
from harness.models.jax.structure import structure_of

Y = jnp.linspace(-1.0, 1.0, 6).reshape(3, 2)
TURN = jnp.array([[0.0, 1.0], [-1.0, 0.0]])


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
        (lambda _, y: jnp.stack([y @ TURN, 2 * y + y @ TURN], 2), "general", Found(commutes=True)),
        (lambda _, y: jnp.stack([y @ TURN, y[:, ::-1]], 2), "general", Found()),
        (lambda t, _: jnp.ones((3, 2, 2)) * jnp.exp(t), "general", Found(reads_no_state=True)),
        (lambda _, y: jax.vmap(jax.jit(lambda _: jnp.ones(2)))(y), "diagonal", Found(reads_no_state=True)),
        (lambda _, y: jax.vmap(lambda y: jax.nn.relu(y[::-1]))(y), "diagonal", Found()),
    ],
    ids=[
        "of time",
        "of its own entry",
        "of all entries",
        "zero times y",
        "columns that commute",
        "columns that don't",
        "a matrix",
        "compiled",
        "flipped",
    ],
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


def test_a_loss_that_jax_keeps_is_rehearsed_anew():
    """`jax.checkpoint` would give the second model what it traced for the first, with the solve of that one."""
    solves = []

    @jax.checkpoint
    def loss(p):
        return solves[-1].odeint(lambda _, y, __: -p * y, Y, [0.0, float(len(solves))]).sum()

    @harness.jax.model
    def kept(solve):
        solves.append(solve)
        return loss, jnp.array(0.1)

    assert [Instance(kept, {}, 0).schedule.times[-1] for _ in range(2)] == [1.0, 2.0]


def by_all(_: Any, y: Any, p: Any) -> Any:
    """A diffusion that reads all entries."""
    return p * jnp.cos(y[..., ::-1])


class Sde:
    """Its method is the diffusion."""

    commutes = True

    def g(self, t: Any, y: Any, p: Any) -> Any:
        """As `by_all`."""
        return by_all(t, y, p)


def saying(commutes: object) -> Any:
    """A diffusion with the attribute."""

    def g(t: Any, y: Any, p: Any) -> Any:
        return by_all(t, y, p)

    g.commutes = commutes  # pyright: ignore[reportFunctionMemberAccess]
    return g


def declaring(g: Any, *, vmapped: bool = False) -> Any:
    """A model whose diffusion this is, of one sample with diffrax's terms or of a batch."""

    @harness.jax.model
    def model(solve: Solve) -> object:
        def of_sample(p: Any, y0: Any) -> Any:
            path = diffrax.VirtualBrownianTree(0, 1, tol=0.1, shape=(2,), key=jax.random.key(0))
            terms = diffrax.MultiTerm(
                diffrax.ODETerm(lambda _, y, __: -y), diffrax.ControlTerm(lambda *a: jnp.diag(g(*a)), path)
            )
            if hasattr(g, "commutes"):
                terms.terms[1].vector_field.commutes = g.commutes
            return solve.diffeqsolve(terms, diffrax.Heun(), 0, 1, 0.5, y0, p).ys

        def loss(p: Any) -> Any:
            if vmapped:
                return jax.vmap(lambda y0: of_sample(p, y0))(Y).sum()
            return solve.sdeint(lambda _, y, __: -y, g, Y, [0.0, 1.0], p, noise_type="diagonal").sum()

        return loss, jnp.array(0.3)

    return model


@pytest.mark.parametrize(
    ("g", "vmapped", "commutes"),
    [
        (by_all, False, False),
        (saying(True), False, True),
        (saying(True), True, True),
        (Sde().g, False, True),
        (harness.jax.per_sample(saying(True)), False, True),
    ],
    ids=["silent", "of a batch", "in diffrax's terms", "the method's object", "per sample"],
)
def test_a_diffusion_may_say_itself_whether_its_noise_commutes(g, vmapped, commutes):
    facts = facts_of_model(declaring(g, vmapped=vmapped))
    assert facts.commutative is commutes
    assert ("commutes, as the diffusion says" in " ".join(facts.notes)) is commutes


def test_noise_that_commutes_may_be_said_not_to():
    g = saying(False)
    facts = structure_of(lambda _, y: jnp.cos(y), "diagonal", (0.0,), Y, g.commutes)
    assert facts == Found()


def test_what_a_diffusion_says_is_true_or_false():
    with pytest.raises(ProblemError, match="commutes is 'yes'"):
        facts_of_model(declaring(saying("yes")))


def test_a_public_solve_believes_it_too():
    """Milstein's scheme needs noise that commutes."""
    how = {"noise_type": "diagonal", "scheme": "milstein", "method": "backprop", "steps": 2, "key": jax.random.key(0)}
    drift = lambda _, y, __: -y  # noqa: E731
    with pytest.raises(ValueError, match="commutative"):
        harness.jax.sdeint(drift, by_all, Y, [0.0, 1.0], 0.3, **how)
    assert harness.jax.sdeint(drift, saying(True), Y, [0.0, 1.0], 0.3, **how).shape == (2, 3, 2)


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
