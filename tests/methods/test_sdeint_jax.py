"""`harness.jax.sdeint` and `odeint`: the harness's own gradients, under JAX's transformations, in training, refused."""

from __future__ import annotations

import re
from pathlib import Path

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import lineax
import numpy as np
import optax
import pytest
from cases import small_case, usual_schemes
from gradients import gradient, path_of, problem_of

from harness.brownian.diffrax_path import InjectedBrownian
from harness.gradient_arrays import GradientArrays, relative_errors
from harness.initial import initial_values
from harness.jax import odeint, per_sample, sdeint
from harness.methods.jax._method import AbstractSweepMethod
from harness.registry import Registry

REGISTRY = Registry.load()
BATCH, DIM, STEPS = 4, 3, 8
TS = np.linspace(0.0, 1.0, 3)
KEY = jax.random.key(5)
TRAINING = Path(__file__).parents[2] / "docs" / "training.md"


def same_program() -> float:
    """The same arithmetic compiled by another route: XLA may fuse it in another way, a few roundings of float64."""
    return 1e-14


def difference_tolerance() -> float:
    """Central differences of width 1e-5 in float64: truncation 1e-10 times a third derivative, rounding 1e-11."""
    return 1e-8


def assert_close(x, y):
    """Equal up to rounding, relative to the largest entry: small ones are sums of larger ones."""
    assert float(abs(x - y).max()) <= 10 * same_program() * float(abs(y).max())


def settings() -> list[tuple[str, str, str]]:
    """(approach, noise, scheme): each native reverse-mode method, with noise where it takes any."""
    found = []
    for name, method in REGISTRY.methods.items():
        if isinstance(method, AbstractSweepMethod):
            schemes = {n: usual_schemes(REGISTRY, small_case(method=name, noise=n)) for n in ("general", "none")}
            noise = "general" if schemes["general"] else "none"
            found += [(name.removeprefix("jax/"), noise, scheme) for scheme in schemes[noise]]
    return found


def harness_gradient(case, **noise):
    """The gradient of a case by `sdeint` with the case's own y0, θ, noise and loss."""
    problem = problem_of(REGISTRY, case)
    y0, theta = initial_values(problem, case.batch, case.seed)
    ts = np.linspace(problem.t0, problem.t1, case.observations + 1)
    options = {"method": case.method.removeprefix("jax/"), "scheme": case.scheme, "steps": case.steps}

    def drift(t, y, theta):
        return problem.drift(jnp, t, y, theta)

    def diffusion(t, y, theta):
        return problem.diffusion(jnp, t, y, theta)

    def loss(y0, theta):
        if case.noise == "none":
            ys = odeint(drift, y0, ts, theta, **options)
        else:
            forms = {"noise_type": case.noise, "sde_type": case.calculus}
            ys = sdeint(drift, diffusion, y0, ts, theta, **forms, **options, **noise)
        return problem.loss(jnp, ys[1:])

    arguments = jax.tree.map(jnp.asarray, (y0, theta))
    value, (y0_bar, theta_bar) = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))(*arguments)
    return GradientArrays.of(value, theta_bar, y0_bar)


@pytest.mark.parametrize(("approach", "noise", "scheme"), settings())
def test_it_is_the_gradient_that_the_harness_measures(make_case, approach, noise, scheme):
    case = make_case(method=f"jax/{approach}", noise=noise, scheme=scheme, observations=2, steps=12)
    shared = path_of(problem_of(REGISTRY, case), case)
    W = None if shared is None else jnp.asarray(shared.increments(case.steps)[0])

    def path(t0, t1):
        assert W is not None
        return W[jnp.round(t0 * case.steps).astype(int)]

    ours = harness_gradient(case, path=path)
    assert max(relative_errors(ours, gradient(REGISTRY, case)).values()) <= same_program()


@pytest.mark.parametrize(("noise", "calculus", "scheme"), [("additive", "ito", "srk"), ("scalar", "ito", "milstein")])
def test_a_key_draws_what_the_own_sampler_draws(make_case, noise, calculus, scheme):
    case = make_case(method="jax/backprop", noise=noise, calculus=calculus, scheme=scheme, brownian="own")
    ours = harness_gradient(case, key=jax.random.key(case.seed, impl="threefry2x32"))
    assert max(relative_errors(ours, gradient(REGISTRY, case)).values()) <= same_program()


def of_y(function):
    """A drift or diffusion that reads y alone."""
    return lambda *at: function(at[1])


def increments_of(dW):
    """A path whose increments are all the same."""
    return lambda *_: dW


def drift(t, y, args):
    """A small neural drift."""
    return jax.vmap(args["mlp"])(y) + args["shift"] * jnp.sin(t)


def diffusion(t, y, args):
    """Diagonal noise with a parameter of its own."""
    return args["scale"] * jnp.cos(y)


@pytest.fixture(scope="module")
def args():
    """A tree with floats, integers, a key, a function and None."""
    mlp = eqx.nn.MLP(DIM, DIM, 5, 1, activation=jnp.tanh, key=jax.random.key(0), dtype=jnp.float64)
    numbers = {"shift": jnp.float64(0.3), "scale": jnp.full(DIM, 0.4), "count": jnp.arange(3)}
    return {"mlp": mlp, **numbers, "key": jax.random.key(2), "nothing": None}


@pytest.fixture(scope="module")
def y0():
    """(batch, dim)."""
    return jnp.asarray(np.random.default_rng(0).normal(size=(BATCH, DIM)))


def states(y0, args, key=KEY, **options):
    """A solve of the equation above."""
    return sdeint(drift, diffusion, y0, TS, args, **{"noise_type": "diagonal", "steps": STEPS, "key": key} | options)


def direction_like(tree, seed=1):
    """Normals for the float leaves of a tree, None for the others."""
    generator = np.random.default_rng(seed)
    floats = eqx.filter(tree, eqx.is_inexact_array)
    return jax.tree.map(lambda x: jnp.asarray(generator.normal(size=x.shape)), floats)


def assert_meets_differences(loss, point):
    """The gradient along one random direction of all float leaves is the central difference's slope."""
    direction = direction_like(point)
    bars = eqx.filter_grad(loss)(point)
    slope = sum(jnp.vdot(g, v) for g, v in zip(jax.tree.leaves(bars), jax.tree.leaves(direction), strict=True))
    up, down = (loss(eqx.apply_updates(point, jax.tree.map(lambda v, h=h: h * v, direction))) for h in (1e-5, -1e-5))
    assert float(slope) == pytest.approx(float(up - down) / 2e-5, rel=difference_tolerance())


@pytest.mark.parametrize("method", ["reversible", "backprop", "checkpoint", "recursive-checkpoint"])
def test_it_meets_finite_differences(args, y0, method):
    @eqx.filter_jit
    def loss(point):
        y0, args = point
        return (states(y0, args, method=method) ** 2).sum()

    assert_meets_differences(loss, (y0, args))


def test_two_solves_in_a_loss_that_reads_args_too(args, y0):
    @eqx.filter_jit
    def loss(point):
        y0, args = point
        first = states(y0, args)
        ode = odeint(drift, first[-1], [1.0, 2.0], args, method="symplectic-adjoint", dt=0.25)
        return (first[1] * ode[-1]).sum() + args["shift"] ** 3 + jnp.sum(args["scale"] * y0)

    assert_meets_differences(loss, (y0, args))


def test_it_starts_with_y0_and_observes_ts(args, y0):
    ys = states(y0, args)
    assert ys.shape == (len(TS), BATCH, DIM)
    assert (ys[0] == y0).all()
    whole = states(y0, args, method="adjoint", scheme="reversible-heun")
    assert_close(ys, whole)


def test_jit_changes_nothing(args, y0):
    def loss(args, key):
        return (states(y0, args, key) ** 2).sum()

    eager, compiled = eqx.filter_grad(loss)(args, KEY), eqx.filter_jit(eqx.filter_grad(loss))(args, KEY)
    for x, y in zip(jax.tree.leaves(eager), jax.tree.leaves(compiled), strict=True):
        assert_close(x, y)


@pytest.mark.parametrize("method", ["reversible", "recursive-checkpoint"])
def test_vmap_over_keys_and_initial_values(args, y0, method):
    floats, others = eqx.partition(args, eqx.is_inexact_array)

    def loss(floats, key, y0):
        return (states(y0, eqx.combine(floats, others), key, method=method) ** 2).sum()

    keys, starts = jax.random.split(KEY, 3), jnp.stack([y0, 2 * y0, -y0])
    together = jax.vmap(jax.value_and_grad(loss), (None, 0, 0))(floats, keys, starts)
    for i in range(3):
        alone = jax.value_and_grad(loss)(floats, keys[i], starts[i])
        for x, y in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
            assert_close(x[i], y)
    assert len(set(np.asarray(together[0]))) == 3


def test_a_module_may_be_the_drift_and_a_closure_too(args, y0):
    """What a drift holds as a tree, and what it closes over, have the derivative that `args` have."""

    class Drift(eqx.Module):
        args: dict

        def __call__(self, t, y, _):
            return drift(t, y, self.args)

    def as_module(args):
        return sdeint(Drift(args), of_y(lambda y: 0.1 * y), y0, TS, noise_type="diagonal", steps=STEPS, key=KEY).sum()

    def as_closure(args):
        def closed(t, y, _):
            return drift(t, y, args)

        return sdeint(closed, of_y(lambda y: 0.1 * y), y0, TS, noise_type="diagonal", steps=STEPS, key=KEY).sum()

    def as_args(args):
        return sdeint(drift, of_y(lambda y: 0.1 * y), y0, TS, args, noise_type="diagonal", steps=STEPS, key=KEY).sum()

    expected = jax.tree.leaves(eqx.filter_jit(eqx.filter_grad(as_args))(args))
    for loss in (as_module, as_closure):
        found = jax.tree.leaves(eqx.filter_jit(eqx.filter_grad(loss))(args))
        for x, y in zip(found, expected, strict=True):
            assert_close(x, y)


@pytest.mark.parametrize(("noise", "columns"), [("additive", 2), ("scalar", 1), ("general", 2)])
@pytest.mark.parametrize("calculus", ["ito", "stratonovich"])
def test_shapes_of_noise_are_torchsdes(args, y0, noise, columns, calculus):
    def columns_of_g(t, y, args):
        ones = jnp.ones((*y.shape, columns))
        return (ones if noise == "additive" else ones * jnp.sin(y)[..., None]) * args["scale"][:columns]

    @eqx.filter_jit
    def loss(args):
        options = {"noise_type": noise, "sde_type": calculus, "method": "backprop", "steps": 4, "key": KEY}
        return (sdeint(drift, columns_of_g, y0, TS, args, **options) ** 2).sum()

    assert_meets_differences(loss, args)


def test_float32_stays_float32(args, y0):
    single = jax.tree.map(lambda x: x.astype(jnp.float32) if eqx.is_inexact_array(x) else x, (y0, args))
    bars = eqx.filter_grad(lambda point: (states(*point) ** 2).sum())(single)
    assert {x.dtype for x in jax.tree.leaves(bars)} == {jnp.dtype("float32")}


@pytest.mark.parametrize("ts", [[0, 1, 2], np.linspace(0, 0.1, 7, dtype=np.float32), jnp.linspace(0, 1, 11)])
def test_ts_may_be_numbers_of_any_kind(args, y0, ts):
    assert states(y0, args).shape[1:] == (BATCH, DIM)
    span = float(ts[-1]) - float(ts[0])
    found = sdeint(
        drift, diffusion, y0, ts, args, noise_type="diagonal", dt=float(np.float32(span / (len(ts) - 1) / 2)), key=KEY
    )
    steps = sdeint(drift, diffusion, y0, ts, args, noise_type="diagonal", steps=2 * (len(ts) - 1), key=KEY)
    assert (found == steps).all()


def test_keys_of_any_kind(args, y0):
    """A raw key draws as a typed one does, and one of another generator draws too."""
    typed, raw = states(y0, args, jax.random.key(7)), states(y0, args, jax.random.PRNGKey(7))
    assert (typed == raw).all()
    other = states(y0, args, jax.random.key(7, impl="rbg"))
    assert jnp.isfinite(other).all()
    assert (other[1:] != typed[1:]).any()


def test_a_solve_alone_keeps_nothing(args, y0):
    """Without a derivative backprop needs no more memory for more steps."""

    def temp_bytes(steps):
        compiled = jax.jit(lambda y0: states(y0, args, method="backprop", steps=steps)[-1]).lower(y0).compile()
        analysis = compiled.memory_analysis()
        assert analysis is not None
        return analysis.temp_size_in_bytes

    assert temp_bytes(4096) <= temp_bytes(64) + 4096 * 8 * 3  # the table of times


def test_a_second_derivative_is_refused(args, y0):
    def loss(y0):
        return (states(y0, args) ** 2).sum()

    with pytest.raises(NotImplementedError, match="second derivatives"):
        jax.hessian(loss)(y0)
    with pytest.raises(NotImplementedError, match="second derivatives"):
        jax.grad(lambda c: jax.grad(lambda y0: c * loss(y0))(y0).sum())(1.0)


def test_forward_mode_is_refused(args, y0):
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda y0: states(y0, args), (y0,), (y0,))


def two_columns(t, y, args):
    """Of general noise."""
    return jnp.ones((*y.shape, 2))


REFUSED = {
    "noise type": ({"noise_type": "none"}, "allowed: additive, diagonal, general, scalar"),
    "noise type's case": ({"noise_type": "Diagonal"}, "did you mean 'diagonal'"),
    "sde type": ({"sde_type": "itô"}, "allowed: ito, stratonovich"),
    "method": ({"method": "jax/backprop"}, "did you mean 'backprop'"),
    "method that is no sweep": ({"method": "forward"}, "allowed: adjoint, alf, backprop"),
    "scheme": ({"scheme": "hein"}, "did you mean 'heun'"),
    "scheme of the method": ({"scheme": "heun"}, "heun can't be stepped back"),
    "calculus of the scheme": ({"sde_type": "ito"}, "converges to the stratonovich solution, not the ito one"),
    "scheme of the noise": ({"method": "backprop", "scheme": "rk4"}, "rk4 is for noise none, not diagonal"),
    "commutative noise": ({"method": "backprop", "scheme": "milstein", "sde_type": "ito"}, "commutative"),
    "both steps and dt": ({"dt": 0.125}, "either steps or dt, given both"),
    "neither steps nor dt": ({"steps": None}, "either steps or dt, given neither"),
    "steps in an interval": ({"steps": 7}, "divide 7 steps"),
    "no steps": ({"steps": 0}, "divide 0 steps"),
    "fewer steps than times": ({"ts": [0.0, 0.1, 1.0], "steps": 1}, "1 steps for 2 observations"),
    "steps of no integer": ({"steps": 8.0}, "steps is 8.0"),
    "negative dt": ({"steps": None, "dt": -0.1}, "positive"),
    "dt of no number": ({"steps": None, "dt": "small"}, "dt is 'small'"),
    "one time": ({"ts": [0.0]}, "at least two numbers"),
    "falling times": ({"ts": [1.0, 0.5, 0.0]}, "increasing"),
    "times not a number": ({"ts": [0.0, np.nan, 1.0]}, "finite"),
    "y0 of one axis": ({"y0": jnp.ones(DIM)}, r"y0 has shape \(3,\)"),
    "y0 of integers": ({"y0": jnp.ones((2, 2), int)}, "allowed: float32, float64"),
    "neither key nor path": ({"key": None}, "either key or path, given neither"),
    "both key and path": ({"path": increments_of(0)}, "either key or path, given both"),
    "key of no kind": ({"key": 3}, "key is 3"),
    "many keys": ({"key": jax.random.split(KEY, 2)}, r"shape \(2,\); needed: one key"),
    "raw key": ({"key": jnp.zeros(3, jnp.uint32)}, "two uint32"),
    "path of no kind": ({"key": None, "path": 3}, "path is 3"),
    "path's shape": ({"key": None, "path": increments_of(jnp.zeros(DIM))}, r"needed: one array of shape .* \(4, 3\)"),
    "path without areas": (
        {"key": None, "path": increments_of(jnp.zeros((BATCH, 2))), "method": "backprop", "scheme": "srk"}
        | {"noise_type": "additive", "sde_type": "ito", "diffusion": two_columns},
        "Lévy areas",
    ),
    "drift": ({"drift": None}, "drift is None"),
    "drift's shape": ({"drift": of_y(lambda y: y[:, :1])}, r"drift has shape \(4, 1\); needed: .* \(4, 3\)"),
    "drift's precision": ({"drift": of_y(lambda y: y.astype(jnp.float32))}, "float32 where y0 is float64"),
    "drift of many arrays": ({"drift": of_y(lambda y: (y, y))}, "needed: one array"),
    "diffusion": ({"diffusion": None}, "diffusion is None"),
    "diffusion's shape": ({"diffusion": of_y(lambda y: y[:, :, None])}, r"shape \(4, 3, 1\); needed: .* \(4, 3\)"),
    "scalar noise's shape": ({"noise_type": "scalar", "diffusion": two_columns}, r"needed: .* \(4, 3, 1\)"),
    "general noise's shape": ({"noise_type": "general", "diffusion": of_y(lambda y: y)}, "noise_dim"),
    "additive noise's rows": (
        {"noise_type": "additive", "diffusion": of_y(lambda _: jnp.ones((BATCH, DIM, 2)))},
        "the first row of y alone",
    ),
    "args that can't be hashed": ({"args": {"names": {1, 2}}}, "hash"),
}


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_wrong_is_refused_in_a_sentence(y0, given):
    changed, message = REFUSED[given]
    arguments = {"drift": of_y(lambda y: -y), "diffusion": of_y(lambda y: y), "y0": y0, "ts": TS, "args": None}
    options = {"noise_type": "diagonal", "steps": STEPS, "key": KEY}
    with pytest.raises(ValueError, match=message) as error:
        sdeint(**(arguments | options | changed))
    assert "\n" not in str(error.value)


def test_times_and_steps_must_be_known_before_jit(args, y0):
    with pytest.raises(ValueError, match="ts is traced"):
        jax.jit(lambda ts: odeint(of_y(lambda y: y), y0, ts, steps=2))(TS)
    with pytest.raises(ValueError, match=r"dt is .* known before jit"):
        jax.jit(lambda dt: odeint(of_y(lambda y: y), y0, TS, dt=dt))(0.1)
    with pytest.raises(ValueError, match=r"steps is .* known before jit"):
        jax.jit(lambda steps: odeint(of_y(lambda y: y), y0, TS, steps=steps))(2)


@pytest.mark.parametrize(
    ("method", "scheme", "solver"),
    [("reversible", "reversible-heun", diffrax.ReversibleHeun()), ("checkpoint", "heun", diffrax.Heun())],
)
def test_training_as_with_diffrax(args, y0, method, scheme, solver):
    """50 steps of Adam, with new noise in each: the losses are those of the same scheme in diffrax."""
    targets = jnp.sin(jnp.arange(1.0, len(TS)))[:, None, None]
    floats, others = eqx.partition(args, eqx.is_inexact_array)
    optimiser, dt = optax.adam(1e-2), 1 / STEPS

    def natively(floats, path):
        args = eqx.combine(floats, others)
        forms = {"noise_type": "diagonal", "method": method, "scheme": scheme, "steps": STEPS}
        return sdeint(drift, diffusion, y0, TS, args, path=path, **forms)[1:]

    def by_diffrax(floats, path):
        noise = diffrax.ControlTerm(lambda *x: lineax.DiagonalLinearOperator(diffusion(*x)), path)
        terms = diffrax.MultiTerm(diffrax.ODETerm(drift), noise)
        saved, args = diffrax.SaveAt(ts=jnp.asarray(TS[1:])), eqx.combine(floats, others)
        quickly_compiled = {"adjoint": diffrax.DirectAdjoint(), "max_steps": STEPS}
        return diffrax.diffeqsolve(terms, solver, 0.0, 1.0, dt, y0, args, saveat=saved, **quickly_compiled).ys

    def losses(solve):
        @jax.jit
        def train(floats, state, W):
            path = InjectedBrownian(W=W, H=jnp.zeros_like(W), times=jnp.linspace(0, 1, len(W) + 1), t0=0.0, t1=1.0)
            loss, bars = jax.value_and_grad(lambda floats: ((solve(floats, path) - targets) ** 2).mean())(floats)
            updates, state = optimiser.update(bars, state)
            return optax.apply_updates(floats, updates), state, loss

        state, found, trained = optimiser.init(floats), [], floats
        for key in jax.random.split(KEY, 50):
            W = dt**0.5 * jax.random.normal(key, (STEPS, BATCH, DIM))
            trained, state, loss = train(trained, state, W)
            found.append(float(loss))
        return np.array(found)

    ours, theirs = losses(natively), losses(by_diffrax)
    assert ours == pytest.approx(theirs, rel=1e-6)  # Adam divides by √v̂, which may enlarge the rounding of a gradient
    assert np.mean(ours[-10:]) < 0.7 * np.mean(ours[:10])


def test_the_example_of_the_documentation_trains():
    section = TRAINING.read_text(encoding="utf-8").partition("## JAX")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    names = {}
    exec(compile(found[1], str(TRAINING), "exec"), names)
    assert names["losses"][-1] < 0.5 * names["losses"][0]


def sine_count(jaxpr) -> int:
    """How often a program evaluates the sine, programs within it counted once each."""
    inner = [
        getattr(value, "jaxpr", value) for eqn in jaxpr.eqns for value in eqn.params.values() if hasattr(value, "eqns")
    ]
    return sum(eqn.primitive.name == "sin" for eqn in jaxpr.eqns) + sum(map(sine_count, inner))


@pytest.mark.parametrize(("scheme", "evaluations"), [("euler", 1), ("heun", 2), ("reversible-heun", 2)])
def test_what_drift_and_diffusion_share_is_evaluated_once(scheme, evaluations):
    """The sine stands for a layer that both read. Reversible Heun evaluates it at the start and once a step."""

    def both(t, y, w):
        shared = jnp.sin(w * y + t)
        return -shared, 0.1 * shared

    def solved(w, drift=None, diffusion=None, **how):
        return sdeint(
            drift,
            diffusion,
            jnp.ones((2, 3)),
            [0.0, 0.5, 1.0],
            w,
            noise_type="diagonal",
            sde_type="ito" if scheme == "euler" else "stratonovich",
            method="backprop",
            scheme=scheme,
            steps=4,
            key=jax.random.key(0),
            **how,
        )

    def together(w):
        return solved(w, drift_and_diffusion=both)

    def apart(w):
        return solved(w, lambda t, y, w: both(t, y, w)[0], lambda t, y, w: both(t, y, w)[1])

    counts = [sine_count(jax.make_jaxpr(function)(2.0).jaxpr) for function in (together, apart)]
    assert counts == [evaluations, 2 * evaluations]
    one, other = (jax.grad(lambda w, f=f: f(w)[-1].sum())(2.0) for f in (together, apart))
    assert one == pytest.approx(float(other), rel=1e-12)


def test_both_must_give_what_each_gives():
    how = {"noise_type": "diagonal", "steps": 1, "key": KEY}
    for given, words in ((lambda _, y, __: y, "needed: a pair"), (lambda _, y, __: (y, y[:1]), "has shape")):
        with pytest.raises(ValueError, match=words):
            sdeint(None, None, jnp.ones((2, 3)), [0.0, 1.0], drift_and_diffusion=given, **how)
    with pytest.raises(ValueError, match="diffusion is None"):
        sdeint(lambda _, y, __: y, None, jnp.ones((2, 3)), [0.0, 1.0], **how)


def test_vector_fields_of_one_sample():
    """As the same fields written for a batch, their parameters being in a tree, and their args each sample's own."""
    weights = jnp.array([[0.1, 0.4], [-0.3, 0.2]])
    own = jnp.array([1.0, 2.0, 3.0])

    def solved(drift, diffusion, args):
        how = {"noise_type": "general", "method": "backprop", "scheme": "heun", "steps": 4, "key": KEY}
        return sdeint(drift, diffusion, jnp.ones((3, 2)), [0.0, 1.0], args, **how)[-1]

    def alone(args):
        return solved(
            per_sample(lambda _, y, a: jnp.tanh(a[0] @ y) * a[1], args=(None, 0)),
            per_sample(lambda _, y, a: jnp.outer(y, a[0][0]), args=(None, 0)),
            args,
        )

    def together(args):
        return solved(
            lambda _, y, a: jnp.tanh(y @ a[0].T) * a[1][:, None], lambda _, y, a: y[:, :, None] * a[0][0], args
        )

    one, other = (jax.grad(lambda args, f=f: f(args).sum())((weights, own)) for f in (alone, together))
    for x, y in zip(one, other, strict=True):
        assert np.allclose(x, y, rtol=1e-12, atol=0)
