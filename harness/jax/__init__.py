"""Native JAX gradient methods as differentiable solves, to train with: `docs/training.md`."""

from harness.jax._integrate import odeint, sdeint

__all__ = ["odeint", "sdeint"]
