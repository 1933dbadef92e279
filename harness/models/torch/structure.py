"""What is found of the noise of a model: whether g reads the state at all, and whether diagonal noise commutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from harness.errors import ProblemError
from harness.torch._right_hand_side import RightHandSide

STATES = 3
"""Random states at which g is differentiated."""
ROUNDING = 100.0
"""A derivative counts as zero up to so many units of rounding, relative to the largest."""


SAME = 1e-3
"""What f gives by itself and with g may differ by rounding, which float32 may enlarge; a mistake is larger."""


@dataclass(frozen=True)
class Structure:
    """`reads_no_state`: g(t, y) doesn't depend on y. `commutes`: g_i of diagonal noise depends on y_i alone."""

    reads_no_state: bool = False
    commutes: bool = False


NOTHING_FOUND = Structure()


def structure_of(side: RightHandSide, times: Sequence[Tensor], y: Float[Tensor, "batch dim"]) -> Structure:
    """By derivatives of g at random states around y, and at y itself, at these times.

    That g doesn't read y is read off autograd's graph: a derivative that only happens to be zero is none. Diagonal
    noise commutes where vᵀ ∂g/∂y is v times the diagonal for random v, at every state. An SDE that has an attribute
    `commutes`, True or False, is believed.
    """
    if side.g is None:
        return Structure()
    declared = getattr(side.owner, "commutes", None)
    reads, commutes = False, side.noise == "diagonal" and declared is None
    generator = torch.Generator(y.device).manual_seed(0)
    for t, state in _states(times, y.detach(), generator):
        with torch.enable_grad():
            g = side.g(t, state)
        if not g.requires_grad:
            continue
        v = torch.randn(g.shape, generator=generator, dtype=g.dtype, device=g.device)
        (product,) = torch.autograd.grad(g, state, v, allow_unused=True, retain_graph=True)
        if product is None:
            continue
        reads = True
        if commutes:
            (diagonal,) = torch.autograd.grad(g, state, torch.ones_like(g))
            most = max(float(diagonal.abs().max()), float(product.abs().max()))
            commutes = bool((product - v * diagonal).abs().max() <= ROUNDING * torch.finfo(g.dtype).eps * most)
    return Structure(not reads, (commutes or declared is True) and reads)


def check_declared(side: RightHandSide, times: Sequence[Tensor], y: Float[Tensor, "batch dim"]) -> None:
    """Whether g of additive noise reads the state, and f_and_g gives what f and g do. Raises ProblemError."""
    generator = torch.Generator(y.device).manual_seed(0)
    with torch.no_grad():
        for t, state in _states(times, y.detach(), generator):
            state = state.detach()
            if side.noise == "additive" and side.g is not None and not torch.equal(side.g(t, y), side.g(t, state)):
                raise ProblemError(
                    'g depends on the state, but noise_type is "additive"; needed: "general", which has the same shapes'
                )
            if side.both is not None and side.g is not None:
                apart = (side.f(t, state), side.g(t, state))
                for name, one, other in zip("fg", side.both(t, state), apart, strict=True):
                    if not torch.allclose(one, other, rtol=SAME, atol=SAME, equal_nan=True):
                        raise ProblemError(f"f_and_g gives another {name} than {name} itself")


def _states(
    times: Sequence[Tensor], y: Float[Tensor, "batch dim"], generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    spread = float(y.std()) if y.numel() > 1 else 0.0
    for t in times:
        yield t, y.clone().requires_grad_()
        for _ in range(STATES):
            noise = torch.randn(y.shape, generator=generator, dtype=y.dtype, device=y.device)
            yield t, (y + max(spread, 1.0) * noise).requires_grad_()
