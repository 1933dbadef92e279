"""The shared path as a diffrax control."""

from __future__ import annotations

from typing import TypeAlias

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

Time: TypeAlias = Float[Array | np.ndarray, ""] | float
"""As diffrax asks for it."""


class InjectedBrownian(diffrax.AbstractBrownianPath):
    """Answers diffrax's queries over one step from the shared path.

    `W` and `H` are the increments and space–time Lévy areas of the grid's steps, which lie between neighbouring
    `times`. Their gradient is stopped: BacksolveAdjoint takes every array in the terms for a parameter and would carry
    an adjoint as large as the path. A query backwards in time has the negated increment, and the same H: reversed, the
    path goes from W(t1) to W(t0) over the same bridge, whose mean H is.
    """

    W: Float[Array, "steps batch noise_dim"]
    H: Float[Array, "steps batch noise_dim"]
    times: Float[Array, " steps+1"]
    t0: float  # pyright: ignore[reportIncompatibleVariableOverride] - abstract in the parent, as equinox has it
    t1: float  # pyright: ignore[reportIncompatibleVariableOverride]
    levy_area: type = diffrax.BrownianIncrement

    def evaluate(
        self, t0: Time, t1: Time | None = None, left: bool = True, use_levy: bool = False
    ) -> Float[Array, "batch noise_dim"] | diffrax.BrownianIncrement | diffrax.SpaceTimeLevyArea:
        """The increment over [t0, t1], which must be a step of the grid."""
        del left
        if t1 is None:
            raise NotImplementedError("the shared path answers increments over steps")
        middles = (self.times[1:] + self.times[:-1]) / 2
        n = jnp.searchsorted(middles, jnp.minimum(t0, t1))
        sign = jnp.where(t1 < t0, -1, 1).astype(self.W.dtype)
        W = sign * jax.lax.stop_gradient(self.W)[n]
        if not use_levy:
            return W
        h = jnp.asarray(t1 - t0, self.W.dtype)
        if issubclass(self.levy_area, diffrax.SpaceTimeLevyArea):
            return diffrax.SpaceTimeLevyArea(dt=h, W=W, H=jax.lax.stop_gradient(self.H)[n])
        return diffrax.BrownianIncrement(dt=h, W=W)


class InjectedAtTicks(diffrax.AbstractBrownianPath):
    """Answers queries at the times of adaptive steps, which may be any, from W at ticks.

    A time stands for the nearest tick, so that W is a function of time: what a step that is rejected has seen, and the
    way back, are of one path. The lengths of steps are off by a tick at most. The gradient of W is stopped, as above.
    """

    W: Float[Array, "ticks batch noise_dim"]
    times: Float[Array, " ticks"]
    t0: float  # pyright: ignore[reportIncompatibleVariableOverride] - abstract in the parent, as equinox has it
    t1: float  # pyright: ignore[reportIncompatibleVariableOverride]
    levy_area: type = diffrax.BrownianIncrement

    def evaluate(
        self, t0: Time, t1: Time | None = None, left: bool = True, use_levy: bool = False
    ) -> Float[Array, "batch noise_dim"] | diffrax.BrownianIncrement:
        """The increment over [t0, t1]."""
        del left
        if t1 is None or self.levy_area is not diffrax.BrownianIncrement:
            raise NotImplementedError("the shared path at ticks answers increments over intervals, without areas")
        W = jax.lax.stop_gradient(self.W)
        dW = W[self._tick(t1)] - W[self._tick(t0)]
        return diffrax.BrownianIncrement(dt=jnp.asarray(t1 - t0, dW.dtype), W=dW) if use_levy else dW

    def _tick(self, t: Time) -> Int[Array, ""]:
        return jnp.searchsorted((self.times[1:] + self.times[:-1]) / 2, t)
