"""A float32 model in float64: the same numbers to start from, all arithmetic in double precision."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

SINGLE, DOUBLE = torch.float32, torch.float64


def tensors() -> dict[int, Tensor]:
    """Every tensor that Python holds, by its id."""
    # By type(): `isinstance` looks through a weak proxy, which raises where what it stood for is gone.
    return {id(item): item for item in gc.get_objects() if issubclass(type(item), Tensor)}


def double(before: Mapping[int, Tensor]) -> None:
    """Turn the float32 tensors that were made since `before` into float64, in place: parameters, buffers and data.

    A model is built as it is, in float32, so that it draws the numbers that it draws elsewhere.
    """
    for key, x in tensors().items():
        if key not in before and x.dtype == SINGLE and x.is_leaf:
            x.data = x.data.double()


class Double(TorchDispatchMode):
    """Within it every float32 tensor that an operation is given or gives is one of float64 with the same numbers.

    What is drawn at random is drawn in float32, and is the same as without the mode. A conversion to float32 does
    nothing. A float32 tensor that is changed in place stays one, and takes the rounded result.
    """

    def __torch_dispatch__(
        self,
        func: Any,
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        del types
        kwargs = kwargs or {}
        if torch.Tag.nondeterministic_seeded in func.tags and "dropout" not in func._schema.name:
            return _drawn(func, args, kwargs)
        given = [_doubled(x) for x in args]
        result = _doubled(func(*given, **{key: _doubled(value) for key, value in kwargs.items()}))
        if func._schema.is_mutable:
            for before, after in zip(args, given, strict=True):
                if before is not after and isinstance(before, Tensor) and isinstance(after, Tensor):
                    before.copy_(after)
        return result


def _drawn(func: Any, args: Sequence[object], kwargs: Mapping[str, object]) -> object:
    if func._schema.name.endswith("_"):  # in place: the numbers are drawn beside, and copied
        target = args[0]
        assert isinstance(target, Tensor)
        beside = _single(target)
        assert isinstance(beside, Tensor)
        func(beside, *map(_single, args[1:]), **kwargs)
        return target if beside is target else target.copy_(beside)
    return _doubled(func(*map(_single, args), **{key: _single(value) for key, value in kwargs.items()}))


def _converted(before: torch.dtype, after: torch.dtype) -> Callable[[object], object]:
    def convert(x: object) -> object:
        if isinstance(x, Tensor):
            return x.to(after) if x.dtype == before else x
        if isinstance(x, list | tuple):
            return type(x)(map(convert, x)) if type(x) in (list, tuple) else x
        return after if x is before else x

    return convert


_doubled, _single = _converted(SINGLE, DOUBLE), _converted(DOUBLE, SINGLE)
