"""Wrong models in JAX: each is refused in a sentence, before anything is measured."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from commands import command
from jax_probed import facts_of_model

import harness.jax
from harness.errors import ProblemError
from harness.models.jax.instance import Instance
from harness.models.jax.solve import Solve

TIMES = (0.0, 0.5, 1.0)
Y0 = np.ones((3, 2))


def ode(solve: Solve, p: Any, **changed: Any) -> Any:
    """A solve that is right, but for what is changed."""
    given = {"drift": lambda _, y, __: -p * y, "y0": Y0, "ts": TIMES} | changed
    return solve.odeint(given.pop("drift"), given.pop("y0"), given.pop("ts"), **given)


def sde(solve: Solve, p: Any, **changed: Any) -> Any:
    """As `ode`."""
    given: dict[str, Any] = {"f": lambda _, y, __: -p * y, "g": lambda _, y, __: 0.1 * y, "y0": Y0, "ts": TIMES}
    given = given | {"noise_type": "diagonal"} | changed
    return solve.sdeint(given.pop("f"), given.pop("g"), given.pop("y0"), given.pop("ts"), **given)


def terms(p: Any, g: Any = None, control: Any = None) -> diffrax.MultiTerm:
    """Of one sample with general noise."""
    path = diffrax.VirtualBrownianTree(0, 1, tol=0.1, shape=(2,), key=jax.random.key(0))
    matrix = g or (lambda _, y, __: jnp.outer(y, jnp.ones(2)))
    return diffrax.MultiTerm(diffrax.ODETerm(lambda _, y, __: -p * y), diffrax.ControlTerm(matrix, control or path))


def by_diffrax(solve: Solve, p: Any, **changed: Any) -> Any:
    """As `ode`."""
    given = {"terms": terms(p), "solver": diffrax.Heun(), "t0": 0, "t1": 1, "y0": np.ones(2)} | changed
    return solve.diffeqsolve(given.pop("terms"), given.pop("solver"), given.pop("t0"), given.pop("t1"), 0.1, **given).ys


def by_a_line(solve: Solve, p: Any) -> Any:
    """A solve for each sample within a compiled function that is mapped."""
    return jax.vmap(jax.jit(lambda y0: by_diffrax(solve, p, y0=y0)))(Y0[:, :2])


LINE = diffrax.LinearInterpolation(jnp.array([0.0, 1.0]), jnp.zeros((2, 2)))
LOSSES: dict[str, tuple[Callable[[Solve, Any], Any], str]] = {
    "no solve": (lambda _, p: p.sum(), "doesn't call solve"),
    "two solves": (lambda solve, p: (ode(solve, p) + ode(solve, p)).sum(), "calls solve 2 times"),
    "a loop": (lambda solve, p: jax.lax.map(lambda y: ode(solve, p, y0=y).sum(), Y0).sum(), "calls solve 3 times"),
    "no scalar": (lambda solve, p: ode(solve, p)[-1], r"shape \(3, 2\)"),
    "a pair": (lambda solve, p: (ode(solve, p).sum(), p), "is a tuple"),
    "no array": (lambda solve, p: [ode(solve, p)] and "none", "'none'"),
    "complex": (lambda solve, p: (1j * ode(solve, p)).sum(), "complex128"),
    "not finite": (lambda solve, p: (ode(solve, p) / 0).sum(), "the loss is inf"),
    "no parameters": (lambda solve, _: ode(solve, 1.0).sum(), "zero for every parameter"),
    "y0 of images": (lambda solve, p: sde(solve, p, y0=np.ones((3, 2, 2))).sum(), "needed: \\(batch, dim\\)"),
    "y0 of integers": (lambda solve, p: sde(solve, p, y0=np.ones((3, 2), int)).sum(), "int64"),
    "shape of f": (lambda solve, p: sde(solve, p, f=lambda _, y, __: y.sum()).sum(), "drift has shape"),
    "shape of g": (lambda solve, p: sde(solve, p, g=lambda _, y, __: y[:, :1]).sum(), "diffusion of diagonal noise"),
    "precision of f": (
        lambda solve, p: sde(solve, p, f=lambda _, y, __: (p * y).astype("float32")).sum(),
        "drift is float32",
    ),
    "noise type": (lambda solve, p: sde(solve, p, noise_type="white").sum(), "noise_type is 'white'"),
    "calculus": (lambda solve, p: sde(solve, p, sde_type="Ito").sum(), "sde_type is 'Ito'"),
    "no function": (lambda solve, p: sde(solve, p, g=0.1).sum(), "diffusion is 0.1"),
    "no drift": (lambda solve, p: ode(solve, p, drift=None).sum(), "drift is None"),
    "times that depend": (lambda solve, p: ode(solve, p, ts=[0.0, p[0] ** 2 + 1]).sum(), "depends on the parameters"),
    "no times": (lambda solve, p: ode(solve, p, ts="now").sum(), "must be numbers"),
    "one time": (lambda solve, p: ode(solve, p, ts=[0.0]).sum(), "at least two"),
    "an SDE backwards": (lambda solve, p: sde(solve, p, ts=[1.0, 0.0]).sum(), "must increase"),
    "a batch under vmap": (
        lambda solve, p: jax.vmap(lambda y: sde(solve, p, y0=y))(np.ones((2, 3, 2))).sum(),
        "under jax.vmap",
    ),
    "two vmaps": (
        lambda solve, p: jax.vmap(jax.vmap(lambda y: by_diffrax(solve, p, y0=y)))(np.ones((2, 3, 2))).sum(),
        "two jax.vmap",
    ),
    "dense": (lambda solve, p: by_diffrax(solve, p, saveat=diffrax.SaveAt(dense=True)).sum(), "dense"),
    "steps": (lambda solve, p: by_diffrax(solve, p, saveat=diffrax.SaveAt(steps=True)).sum(), "steps"),
    "fn": (
        lambda solve, p: by_diffrax(solve, p, saveat=diffrax.SaveAt(t1=True, fn=lambda _, y, __: y[0])).sum(),
        "fn",
    ),
    "times outside": (lambda solve, p: by_diffrax(solve, p, saveat=diffrax.SaveAt(ts=[2.0])).sum(), "outside"),
    "event": (lambda solve, p: by_diffrax(solve, p, event=diffrax.Event(lambda *_, **__: True)).sum(), "event"),
    "Tsit5 of an SDE": (lambda solve, p: by_diffrax(solve, p, solver=diffrax.Tsit5()).sum(), "Tsit5 converges"),
    "a control": (lambda solve, p: by_diffrax(solve, p, terms=terms(p, control=LINE)).sum(), "LinearInterpolation"),
    "a control alone": (
        lambda solve, p: by_diffrax(solve, p, terms=diffrax.ControlTerm(lambda _, y, __: y[:, None], LINE)).sum(),
        "to_ode",
    ),
    "a batch with a matrix": (lambda solve, p: by_diffrax(solve, p, y0=Y0).sum(), "under jax.vmap over the samples"),
    "a tree": (lambda solve, p: by_diffrax(solve, p, y0={"a": np.ones(2)})["a"].sum(), "must be one array"),
    "states left out": (lambda solve, p: (ode(solve, p), p.sum())[1], "doesn't depend on the states"),
    "states stopped": (
        lambda solve, p: jax.lax.stop_gradient(ode(solve, p)).sum() + p.sum(),
        "doesn't depend on the states",
    ),
    "gradient infinite": (lambda solve, p: ode(solve, p).sum() + jnp.sqrt(abs(p - p).sum()), "isn't finite"),
    "a name that isn't there": (lambda solve, p: ode(solve, p).total(), "total"),
    "f not a number": (lambda solve, p: ode(solve, p, drift=lambda _, y, __: p * y * jnp.nan).sum(), "loss is nan"),
    "f of nothing": (lambda solve, p: ode(solve, p, drift=lambda _, __, ___: None).sum(), "drift gives None"),
    "f of a pair": (lambda solve, p: ode(solve, p, drift=lambda _, y, __: (y, y)).sum(), "needed: one array"),
    "f draws": (
        lambda solve, p: ode(solve, p, drift=lambda _, y, __: p * y + np.random.default_rng().normal()).sum(),
        "differ",
    ),
    "additive noise that reads the state": (
        lambda solve, p: sde(solve, p, noise_type="additive", g=lambda _, y, __: p * y[:, :, None]).sum(),
        'noise_type is "additive"; needed: "general"',
    ),
    "general noise flat": (lambda solve, p: sde(solve, p, noise_type="general").sum(), "diffusion of general noise"),
    "drift_and_diffusion of one": (
        lambda solve, p: sde(solve, p, f=None, g=None, drift_and_diffusion=lambda _, y, __: p * y).sum(),
        "needed: a pair",
    ),
    "y0 of half precision": (
        lambda solve, p: ode(solve, p, y0=np.ones((3, 2), np.float16), drift=lambda _, y, __: y).sum(),
        "float16",
    ),
    "y0 of nothing": (lambda solve, p: ode(solve, p, y0=None).sum(), "y0 is None"),
    "no samples": (lambda solve, p: sde(solve, p, y0=np.ones((0, 2))).sum(), "none of them empty"),
    "times to and fro": (lambda solve, p: ode(solve, p, ts=[0.0, 1.0, 0.5]).sum(), "strictly increasing"),
    "a time that is none": (lambda solve, p: ode(solve, p, ts=[0.0, np.nan]).sum(), "finite"),
    "times of two axes": (lambda solve, p: ode(solve, p, ts=[TIMES]).sum(), r"ts has the shape \(1, 3\)"),
    "dt zero": (lambda solve, p: ode(solve, p, dt=0).sum(), "dt is 0; needed: a number above 0"),
    "dt text": (lambda solve, p: ode(solve, p, dt="0.1s").sum(), "dt is '0.1s'"),
    "steps negative": (lambda solve, p: sde(solve, p, steps=-3).sum(), "steps is -3"),
    "rtol text": (lambda solve, p: ode(solve, p, rtol="small").sum(), "rtol is 'small'"),
    "scheme a number": (lambda solve, p: ode(solve, p, scheme=4).sum(), "scheme is 4"),
    "a function that solve lacks": (
        lambda solve, p: attrgetter("odeint_adjoint")(solve)(p),
        "solve has no odeint_adjoint",
    ),
    "no solver": (lambda solve, p: by_diffrax(solve, p, solver=None).sum(), "solver is None"),
    "a solver's class": (lambda solve, p: by_diffrax(solve, p, solver=diffrax.Heun).sum(), r"diffrax\.Heun\(\)"),
    "saveat a time": (lambda solve, p: by_diffrax(solve, p, saveat=0.5).sum(), "saveat is 0.5"),
    "columns that the path lacks": (
        lambda solve, p: by_diffrax(solve, p, terms=terms(p, lambda _, y, __: jnp.outer(y, jnp.ones(3)))).sum(),
        r"gives \(2, 3\); needed \(2, 2\)",
    ),
    "jit within vmap": (lambda solve, p: by_a_line(solve, p).sum(), "compiled and then mapped"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_refused(name):
    loss, words = LOSSES[name]

    @harness.jax.model
    def wrong(solve):
        return lambda p: loss(solve, p), jnp.array([0.1, 0.2])

    with pytest.raises((ProblemError, AttributeError), match=words):
        facts_of_model(wrong)


def test_the_command_says_it_in_a_line(tmp_path):
    """With the author's own line beneath it."""
    text = [
        "import harness, jax.numpy as jnp",
        "@harness.jax.model",
        "def model(solve):",
        "    def drift(t, y, p):",
        "        return y @ jnp.ones(7)",
        "    return lambda p: solve.odeint(drift, jnp.ones((3, 2)), [0.0, 1.0], p).sum(), jnp.ones(2)",
    ]
    (tmp_path / "mine.py").write_text("\n".join(text))
    done = command(tmp_path, "try", "mine.py:model")
    first, *beneath = done.stderr.splitlines()
    assert done.returncode == 2
    assert first.startswith("error: try: mine.py:model: TypeError")
    assert beneath[-1].strip() == "return y @ jnp.ones(7)"


BUILT: dict[str, tuple[Any, str]] = {
    "no pair": (lambda loss: loss, "must return a pair"),
    "no function": (lambda _: (1.0, {}), "must return a pair"),
    "nothing to differentiate": (lambda loss: (loss, {"depth": 3}), "no parameter"),
    "complex": (lambda loss: (loss, {"w": jnp.array([1j])}), r"\['w'\].*complex128"),
}


@pytest.mark.parametrize("name", BUILT)
def test_a_model_is_refused(name):
    made, words = BUILT[name]

    @harness.jax.model
    def wrong(solve):
        return made(lambda p: ode(solve, p).sum())

    with pytest.raises(ProblemError, match=words):
        facts_of_model(wrong)


def test_a_solve_while_the_model_is_built_is_refused():
    @harness.jax.model
    def wrong(solve):
        ys = ode(solve, 1.0)
        return lambda p: p * ys.sum(), jnp.array(1.0)

    with pytest.raises(ProblemError, match="while it is built"):
        facts_of_model(wrong)


def test_a_loss_that_changes_between_calls_is_refused():
    @harness.jax.model
    def wrong(solve):
        calls = []

        def loss(p):
            calls.append(0)
            return ode(solve, p).sum() + len(calls)

        return loss, jnp.array([0.1, 0.2])

    with pytest.raises(ProblemError, match="differ"):
        facts_of_model(wrong)


def test_parameters_that_are_others_in_every_process_are_refused():
    @harness.jax.model
    def wrong(solve):
        return lambda p: ode(solve, p).sum(), jnp.asarray(np.random.default_rng().normal(size=2))

    one, another = (Instance(wrong, {}, 0) for _ in range(2))
    with pytest.raises(ProblemError, match="another one in every process"):
        one.check(another.values())


def test_what_the_model_itself_raises_is_passed_on():
    @harness.jax.model
    def wrong(solve):
        return lambda p: ode(solve, p, drift=lambda _, y, __: y @ p["w"]).sum(), jnp.array([0.1, 0.2])

    with pytest.raises((TypeError, IndexError)):
        facts_of_model(wrong)
