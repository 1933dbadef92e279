"""Which tensors a right-hand side depends on: those of its modules, and whatever else it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves


class _Reads(TorchFunctionMode):
    """Collects the tensors with a gradient that operations are given and that none of them has made."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[int, Tensor] = {}
        self._made: dict[int, Tensor] = {}  # kept, so that no number of theirs is given out again

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        kwargs = kwargs or {}
        for x in tree_leaves((args, kwargs)):
            if isinstance(x, Tensor) and x.requires_grad and id(x) not in self._made:
                self.found[id(x)] = x
        result = func(*args, **kwargs)
        self._made.update((id(x), x) for x in tree_leaves(result) if isinstance(x, Tensor) and id(x) not in self.found)
        return result


def parameters_of(sde: object, evaluate: Callable[[], Any], further: Iterable[Tensor] = ()) -> list[Tensor]:
    """Those of `sde` where it is a module, those that `evaluate()` reads, and `further` ones, each once.

    `evaluate` calls f and g. What it reads within a torch.autograd.Function, or at other times only, isn't seen.
    """
    found: dict[int, Tensor] = {}
    if isinstance(sde, torch.nn.Module):
        found.update((id(p), p) for p in sde.parameters() if p.requires_grad)
    with torch.enable_grad(), _Reads() as reads:
        evaluate()
    found.update(reads.found)
    found.update((id(p), p) for p in further if p.requires_grad)
    return list(found.values())
