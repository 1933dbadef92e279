"""`harness.jax.model`: declare a model in JAX."""

from __future__ import annotations

from harness.models.declared import Factory, Model, declare


def model(factory: Factory) -> Model:
    """Declare a model of your own, to measure it by `python -m harness try FILE.py:NAME` or in a suite: a decorator.

    The decorated function builds the model. It takes `solve` and settings: keyword arguments whose defaults are
    numbers, text or booleans, which a suite or a command may change. It returns a pair:

    - the loss: a function of the parameters that returns a scalar and can be traced by `jax.jit`;
    - the parameters: any tree of arrays, such as an `equinox.Module`, nested dicts, or one array. The gradient is taken
      with respect to all real arrays of the tree.

    The loss calls one of these exactly once:

    - `solve.diffeqsolve`, with the arguments of `diffrax.diffeqsolve`, also under `jax.vmap` over samples;
    - `solve.sdeint` or `solve.odeint`, with the arguments of `harness.jax.sdeint` or `harness.jax.odeint`.

    For example:

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

    The harness gives every method the same Brownian path; the path and key of the model are not used. The generators of
    NumPy and Python are seeded before the function is called and before the loss is traced. Raises TypeError if an
    argument has no default.
    """
    return declare("jax", factory)
