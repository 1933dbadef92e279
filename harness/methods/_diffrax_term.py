"""A diffrax term for a batch of states, each with its own Brownian motion and diffusion matrix."""

from __future__ import annotations

from collections.abc import Callable

import diffrax
from jaxtyping import Array, Float, PyTree

from harness.arithmetic import rows_times
from harness.brownian.diffrax_path import Time


class BatchedControlTerm(diffrax.AbstractTerm):
    """g(t, y) dW with a matrix for each row of the batch.

    diffrax's ControlTerm contracts g with all axes of the control, the batch among them. Mapping the whole solve over
    the batch is the alternative, and slower.
    """

    vector_field: Callable[[Time, Float[Array, "batch dim"], PyTree], Float[Array, "batch dim noise_dim"]]
    control: diffrax.AbstractPath

    def vf(self, t: Time, y: Float[Array, "batch dim"], args: PyTree) -> Float[Array, "batch dim noise_dim"]:
        """g."""
        return self.vector_field(t, y, args)

    def contr(self, t0: Time, t1: Time, **kwargs: bool) -> Float[Array, "batch noise_dim"]:
        """dW."""
        return self.control.evaluate(t0, t1, **kwargs)

    def prod(
        self, vf: Float[Array, "batch dim noise_dim"], control: Float[Array, "batch noise_dim"]
    ) -> Float[Array, "batch dim"]:
        """g dW."""
        return rows_times(vf, control)
