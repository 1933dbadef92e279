"""A diffrax term for a batch of states, each with its own Brownian motion and diffusion matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffrax

from harness.arithmetic import rows_times


class BatchedControlTerm(diffrax.AbstractTerm):
    """g(t, y) dW with g (batch, dim, m) and dW (batch, m).

    diffrax's ControlTerm contracts g with all axes of the control, the batch among them. Mapping the whole solve over
    the batch is the alternative, and slower.
    """

    vector_field: Callable[[Any, Any, Any], Any]
    control: diffrax.AbstractPath

    def vf(self, t: Any, y: Any, args: Any) -> Any:
        """g."""
        return self.vector_field(t, y, args)

    def contr(self, t0: Any, t1: Any, **kwargs: Any) -> Any:
        """dW."""
        return self.control.evaluate(t0, t1, **kwargs)

    def prod(self, vf: Any, control: Any) -> Any:
        """g dW."""
        return rows_times(vf, control)
