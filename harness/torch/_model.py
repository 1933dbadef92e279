"""`harness.torch.model`: declare a model in PyTorch."""

from __future__ import annotations

from harness.models.declared import Factory, Model, declare


def model(factory: Factory) -> Model:
    """Declare a model of your own, to measure it by `python -m harness try FILE.py:NAME` or in a suite: a decorator.

    The decorated function builds the model. It takes `solve` and settings: keyword arguments whose defaults are
    numbers, text or booleans, which a suite or a command may change. It returns a pair:

    - the loss: a function without arguments that returns a scalar tensor. It calls `solve.sdeint` or `solve.odeint`
      exactly once, with the arguments of torchsde.sdeint or torchdiffeq.odeint;
    - the parameters whose gradient is wanted: a module, `parameters()`, `named_parameters()`, a dict, or an iterable of
      tensors.

    For example:

        @harness.torch.model
        def latent_sde(solve, *, batch=32):
            xs, ts = data(batch)
            model = LatentSDE()

            def loss():
                zs, kl = solve.sdeint(model, model.z0(xs), ts, logqp=True)
                return model.elbo(zs, kl, xs)

            return loss, model.parameters()

    All random number generators are seeded before the function is called, and before every evaluation of the loss.
    Raises TypeError if an argument has no default.
    """
    return declare("torch", factory)
