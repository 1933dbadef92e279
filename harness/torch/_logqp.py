"""The path's Kullback–Leibler divergence from a prior, as one more entry of the state (torchsde's `logqp`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from harness.torch._right_hand_side import Field, RightHandSide, shape_of

SMALL = 1e-7
"""An entry of a diagonal g below it counts as so large, with its own sign: what f − h is divided by."""


def with_divergence(side: RightHandSide) -> RightHandSide:
    """The SDE with ½ |u|² for a further entry's drift and no noise in it, where g u = f − h.

    h is the prior's drift. The entry at t is then the divergence of the SDE's path up to t from that of the prior
    dY = h dt + g dW (Li et al. 2020, section 5). u is (f − h) / g for diagonal noise, else that of
    least squares. Raises ValueError where the SDE has no h.
    """
    h = side.h
    if h is None:
        raise ValueError("logqp needs the prior's drift: sde must have h(t, y)")
    assert side.g is not None  # or there is no SDE
    both = side.both or _apart(side.f, side.g)

    def f_and_g(t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        state = y[:, :-1]
        f, g = both(t, state)
        prior = h(t, state)
        if (shape := shape_of("h", prior, y)) != f.shape:
            raise ValueError(f"h must give what f gives, {tuple(f.shape)}; given: {shape}")
        u = _quotient(side.noise, f - prior, g)
        return torch.cat([f, 0.5 * u.square().sum(1, keepdim=True)], 1), torch.cat([g, torch.zeros_like(g[:, :1])], 1)

    return replace(side, f=lambda t, y: f_and_g(t, y)[0], g=lambda t, y: f_and_g(t, y)[1], both=f_and_g)


def with_room_for_divergence(y0: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim_and_one"]:
    """y0 with the further entry, which starts at zero."""
    return torch.cat([y0, torch.zeros_like(y0[:, :1])], 1)


def divergences(
    ys: Float[Tensor, "times batch dim_and_one"],
) -> tuple[Float[Tensor, "times batch dim"], Float[Tensor, "intervals batch"]]:
    """The states, and the divergence of each interval between two times."""
    return ys[:, :, :-1], ys[1:, :, -1] - ys[:-1, :, -1]


def _apart(f: Field, g: Field) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    return lambda t, y: (f(t, y), g(t, y))


def _quotient(noise: str, difference: Float[Tensor, "batch dim"], g: Tensor) -> Float[Tensor, "batch columns"]:
    """u with g u = f − h."""
    if noise == "diagonal":
        return difference / torch.where(g.detach().abs() > SMALL, g, SMALL * g.sign())
    return (torch.linalg.pinv(g) @ difference[:, :, None])[:, :, 0]
