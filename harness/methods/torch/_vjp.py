"""Vector–Jacobian products, PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import Variable

_run_backward = Variable._execution_engine.run_backward
"""The engine's own call, in which `torch.autograd.grad` ends too. What that checks and copies in Python on the way is a
tenth to a sixth of a sweep's time (docs/decisions/0005-operations-a-step.md); the engine checks shapes itself."""


def vjp(
    outputs: Sequence[Tensor | None], inputs: Sequence[Tensor], cotangents: Sequence[Tensor | None]
) -> list[Tensor]:
    """The vector–Jacobian products with respect to `inputs`: zero for an unused one; a None of a state stays None.

    The graph is freed. Outputs that are None, have no graph or no cotangent are left out.
    """
    pairs = [
        (out, cot)
        for out, cot in zip(outputs, cotangents, strict=True)
        if out is not None and cot is not None and out.requires_grad
    ]
    if not pairs:
        return [x if x is None else torch.zeros_like(x) for x in inputs]
    outs, cots = zip(*pairs, strict=True)
    wanted = tuple([x for x in inputs if x is not None])
    keep_graph, create_graph, allow_unused = False, False, True
    found = _run_backward(outs, cots, keep_graph, create_graph, wanted, allow_unused, accumulate_grad=False)
    products = iter([torch.zeros_like(x) if g is None else g for x, g in zip(wanted, found, strict=True)])
    return [x if x is None else next(products) for x in inputs]
