"""(∂g/∂y) g of diagonal noise that commutes, in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def with_own_derivative(
    evaluate: Callable[[Tensor], tuple[Tensor, Tensor]], y: Tensor
) -> tuple[Tensor, Tensor, Tensor] | None:
    """f, g and (∂g/∂y) g, `evaluate` giving f and g; None within `torch.func` and `torch.compile`.

    Autograd's product from the left, which for a diagonal matrix is that from the right, takes a fraction of a forward
    derivative's time, and g is evaluated once.
    """
    if torch._C._are_functorch_transforms_active() or torch.compiler.is_compiling():
        return None
    outer = torch.is_grad_enabled()
    with torch.enable_grad():
        at = y if y.requires_grad else y.detach().requires_grad_()
        f, g = evaluate(at)
        if not g.requires_grad:
            return f, g, torch.zeros_like(g)
        (product,) = torch.autograd.grad(g, at, g, create_graph=outer, allow_unused=True, materialize_grads=True)
    return (f, g, product) if outer else (f.detach(), g.detach(), product)
