"""What is found of the noise of a model: whether g reads the state at all, and whether its noise commutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from harness.commuting import ROUNDING, STATES, Symmetry
from harness.errors import ProblemError
from harness.torch._right_hand_side import RightHandSide

SAME = 1e-3
"""What f gives by itself and with g may differ by rounding, which float32 may enlarge; a mistake is larger."""


@dataclass(frozen=True)
class Structure:
    """`reads_no_state`: g(t, y) doesn't depend on y. `commutes`: the noise commutes though it does."""

    reads_no_state: bool = False
    commutes: bool = False


NOTHING_FOUND = Structure()


def structure_of(side: RightHandSide, times: Sequence[Tensor], y: Float[Tensor, "batch dim"]) -> Structure:
    """By derivatives of g at random states around y, and at y itself, at these times.

    That g doesn't read y is read off autograd's graph: a derivative that only happens to be zero is none. Diagonal
    noise commutes where vᵀ ∂g/∂y is v times the diagonal for random v, at every state; general noise where
    `harness.commuting` says. An SDE that has an attribute `commutes`, True or False, is believed.
    """
    if side.g is None:
        return Structure()
    reads, own = False, True
    generator = torch.Generator(y.device).manual_seed(0)
    symmetry = Symmetry(torch.finfo(y.dtype).eps)
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
        if side.declared is None and side.noise == "diagonal":
            own = own and _own_entry(g, state, v, product)
        elif side.declared is None and side.noise == "general":
            symmetry.see(*_asymmetry(g, state, generator))
    commutes = symmetry.holds if side.noise == "general" else side.noise == "diagonal" and own
    return Structure(not reads, reads and (commutes if side.declared is None else side.declared))


def _own_entry(g: Tensor, state: Tensor, v: Tensor, product: Tensor) -> bool:
    """Whether g_i reads y_i alone: `product` is vᵀ ∂g/∂y."""
    (diagonal,) = torch.autograd.grad(g, state, torch.ones_like(g))
    most = max(float(diagonal.abs().max()), float(product.abs().max()))
    return bool((product - v * diagonal).abs().max() <= ROUNDING * torch.finfo(g.dtype).eps * most)


def _asymmetry(
    g: Float[Tensor, "batch dim noise_dim"], state: Float[Tensor, "batch dim"], generator: torch.Generator
) -> tuple[float, float]:
    """The largest |S(u, v) − S(v, u)| of the batch for random u, v and w, and the largest sum of absolute terms."""
    batch, dim, columns = g.shape
    u, v, w = (
        torch.randn(batch, size, generator=generator, dtype=g.dtype, device=g.device)
        for size in (columns, columns, dim)
    )

    def terms(u: Tensor, v: Tensor) -> Tensor:
        (slope,) = torch.autograd.grad(g, state, w[:, :, None] * u[:, None, :], retain_graph=True)
        return slope * (g.detach() * v[:, None, :]).sum(2)

    one, other = terms(u, v), terms(v, u)
    size = torch.maximum(one.abs().sum(1), other.abs().sum(1))
    return float((one.sum(1) - other.sum(1)).abs().max()), float(size.max())


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
