"""Which tensors a right-hand side depends on: those of its modules, and whatever else it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor
from torch._C._functorch import get_unwrapped, is_functorch_wrapped_tensor
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves


class _Reads(TorchFunctionMode):
    """Collects the tensors with a gradient that operations are given and that none of them has made."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[int, Tensor] = {}
        self._made: dict[int, Tensor] = {}  # kept, so that no number of theirs is given out again

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        del types
        kwargs = kwargs or {}
        for x in _tensors((args, kwargs)):
            if x.requires_grad and id(x) not in self._made:
                self.found[id(x)] = x
        result = func(*args, **kwargs)
        self._made.update((id(x), x) for x in _tensors(result) if id(x) not in self.found)
        return result


def _tensors(tree: object) -> Iterator[Tensor]:
    """Those in a tree, without what `torch.func` has wrapped around them: within its `vmap`, `grad` or `jacrev`."""
    for x in tree_leaves(tree):
        if isinstance(x, Tensor):
            while is_functorch_wrapped_tensor(x):
                x = get_unwrapped(x)
            yield x


def parameters_of(sde: object, evaluate: Callable[[], object], further: Iterable[Tensor] = ()) -> list[Tensor]:
    """Those of `sde` where it is a module, those that `evaluate()` reads, and `further` ones, each once.

    `evaluate` calls f and g. What it reads within a torch.autograd.Function, or at other times only, isn't seen.
    A module's parameter that only served to make a tensor that f or g reads, as an encoder's does, is none of theirs:
    that tensor is. Raises ValueError where f and g read both, since the one's gradient would hold the other's.
    """
    with torch.enable_grad(), _Reads() as reads:
        evaluate()
    read = reads.found | {id(p): p for p in further if p.requires_grad}
    made_of = nodes_of(read.values())
    if any(id(x) in made_of or (x.grad_fn is not None and id(x.grad_fn) in made_of) for x in read.values()):
        raise ValueError(
            "f and g read a tensor and another one that was made of it; only method='backprop' can tell their gradients"
            " apart"
        )
    own = sde.parameters() if isinstance(sde, torch.nn.Module) else ()
    return list((read | {id(p): p for p in own if p.requires_grad and id(p) not in made_of}).values())


def nodes_of(tensors: Iterable[Tensor]) -> dict[int, Node | Tensor]:
    """By identity, the nodes and the leaves of the graphs that tensors were made by, their own nodes apart."""
    found: dict[int, Node | Tensor] = {}
    waiting = [node for x in tensors if x.grad_fn is not None for node, _ in x.grad_fn.next_functions]
    while waiting:
        node = waiting.pop()
        if node is not None and id(node) not in found:
            found[id(node)] = node
            variable = getattr(node, "variable", None)  # of a leaf
            if variable is not None:
                found[id(variable)] = variable
            waiting += [earlier for earlier, _ in node.next_functions]
    return found
