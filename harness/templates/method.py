"""A gradient method of my own: a plain PyTorch loop, backpropagated through. `python -m harness run my_thing.yaml`."""

import torch

from harness import AbstractGradientMethod, Gradient, Terms
from harness.initial import initial_values


class MyThing(AbstractGradientMethod):
    """Backpropagation through a loop over the steps."""

    name = "mine/my-thing"  # backend/approach, as a suite names it
    framework = "torch"  # torch, jax or numpy
    summary = "a plain loop, backpropagated through"
    exact = True  # whether it gives the gradient of the discrete solve up to rounding

    def unsupported(self, case):
        """Why the method can't do a case, in a sentence, or None."""
        if case.brownian != "shared" and case.noise != "none":
            return "it has no sampler of its own: measure it with brownian: shared"
        return None if isinstance(case.observations, int) else "it observes at equally spaced times only"

    def build(self, problem, scheme, case, path):
        """Do all that happens once. The function that is returned is what the harness times."""
        kind = getattr(torch, case.dtype)
        y0, theta = initial_values(problem, case.batch, case.seed)
        y0 = torch.tensor(y0, dtype=kind).requires_grad_()
        theta = {name: torch.tensor(value, dtype=kind).requires_grad_() for name, value in theta.items()}
        dW = [None] * case.steps if path is None else torch.tensor(path.increments(case.steps)[0], dtype=kind).unbind()
        dt, stride = (problem.t1 - problem.t0) / case.steps, case.steps // case.observations

        def gradient():
            terms = Terms(torch, problem, theta)  # f and g with these parameters
            state, ys = scheme.init(terms, problem.t0, y0), []
            for n in range(case.steps):
                state = scheme.step(terms, problem.t0 + n * dt, dt, state, dW[n])
                if (n + 1) % stride == 0:
                    ys.append(state[0])
            loss = problem.loss(torch, torch.stack(ys))
            y0_bar, *bars = torch.autograd.grad(loss, [y0, *theta.values()])
            return Gradient(loss.detach(), dict(zip(theta, bars, strict=True)), y0_bar)

        return gradient
