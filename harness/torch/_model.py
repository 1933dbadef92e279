"""`harness.torch.model`: declare a model in PyTorch."""

from __future__ import annotations

from harness.models.declared import Factory, Model, declare


def model(factory: Factory) -> Model:
    """A decorator: the function builds a model for `python -m harness try FILE.py:NAME`, or for a suite.

    The function takes `solve` and keyword arguments with defaults, which a suite or a command may set. It returns a
    pair: a function without arguments that gives the loss, a scalar tensor, and the parameters whose gradient is
    wanted: an iterable of tensors, `named_parameters()`, a dict, or a module. The loss calls `solve.sdeint` or
    `solve.odeint` once, with the arguments of torchsde.sdeint or torchdiffeq.odeint:

        @harness.torch.model
        def latent_sde(solve, *, batch=32):
            xs, ts = data(batch)
            model = LatentSDE()

            def loss():
                zs, kl = solve.sdeint(model, model.z0(xs), ts, logqp=True)
                return model.elbo(zs, kl, xs)

            return loss, model.parameters()

    All random numbers are seeded before the function is called, and before every evaluation of the loss. Raises
    TypeError where an argument has no default.
    """
    return declare("torch", factory)
