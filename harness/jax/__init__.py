"""Native JAX gradient methods as differentiable solves, to train with: `docs/training.md`. And models to measure."""

from harness.jax._integrate import odeint, sdeint
from harness.jax._model import model
from harness.jax._per_sample import per_sample

__all__ = ["model", "odeint", "per_sample", "sdeint"]
