"""A float32 model in float64: the same numbers to start from, all arithmetic in double precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

SINGLE, DOUBLE = torch.float32, torch.float64


class Double(TorchDispatchMode):
    """Within it every float32 tensor that an operation is given or gives is one of float64 with the same numbers.

    What is drawn at random is drawn in float32, and is the same as without the mode. So a model that is built within it
    has the parameters and the data of the model as it is, and its loss differs from the model's by rounding alone. A
    conversion to float32 does nothing.
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
        return _doubled(func(*map(_doubled, args), **{key: _doubled(value) for key, value in kwargs.items()}))


def _drawn(func: Any, args: Sequence[object], kwargs: Mapping[str, object]) -> object:
    if func._schema.name.endswith("_"):  # in place: the numbers are drawn beside, and copied
        target = args[0]
        assert isinstance(target, Tensor)
        beside = _single(target)
        assert isinstance(beside, Tensor)
        func(beside, *map(_single, args[1:]), **kwargs)
        return target.copy_(beside)
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
