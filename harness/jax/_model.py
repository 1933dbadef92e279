"""`harness.jax.model`: declare a model in JAX."""

from __future__ import annotations

from harness.models.declared import Factory, Model, declare


def model(factory: Factory) -> Model:
    """A decorator: the function builds a model for `python -m harness try FILE.py:NAME`, or for a suite.

    The function takes `solve` and keyword arguments with defaults, which a suite or a command may set. It returns a
    pair: the loss, a function of the parameters that gives a scalar, and the parameters: any tree of arrays, such as an
    `equinox.Module`, nested dicts, or one array. The gradient is that of all real arrays of the tree; its other leaves
    are left as they are. The loss is traced by `jax.jit`. It calls one of these once:

    - `solve.diffeqsolve`, with the arguments of `diffrax.diffeqsolve`, also under `jax.vmap` over samples;
    - `solve.sdeint` or `solve.odeint`, with those of `harness.jax.sdeint` and `harness.jax.odeint`.

        @harness.jax.model
        def generator(solve, *, batch=64):
            ts = np.linspace(0, 1, 11)
            keys = jax.random.split(jax.random.key(0), batch)

            def loss(model):
                def sample(key):
                    brownian = diffrax.VirtualBrownianTree(0, 1, tol=1e-3, shape=(3,), key=key)
                    terms = diffrax.MultiTerm(diffrax.ODETerm(model.f), diffrax.ControlTerm(model.g, brownian))
                    saveat = diffrax.SaveAt(ts=ts)
                    return solve.diffeqsolve(terms, diffrax.Heun(), 0, 1, 0.02, model.y0, saveat=saveat).ys

                return score(jax.vmap(sample)(keys))

            return loss, Generator(jax.random.key(1))

    The harness gives every method one Brownian path; the model's own, and its key, are not used. NumPy's and Python's
    generators are seeded before the function is called and before the loss is traced. Raises TypeError where an
    argument has no default.
    """
    return declare("jax", factory)
