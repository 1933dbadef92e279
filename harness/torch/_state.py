"""States of any shape: the methods' own are (batch, dim), those of an ODE may be any tensor or tuple of tensors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

State: TypeAlias = Tensor | tuple[Tensor, ...]
"""What an ODE of a user's own has for a state."""


@dataclass(frozen=True)
class Form:
    """The shapes of the parts of a state, and whether it is a tuple of them.

    A tensor with two axes or more keeps the first as the batch, and the others become one. Anything else is one row.
    """

    shapes: tuple[torch.Size, ...]
    several: bool

    @classmethod
    def of(cls, y0: object) -> Form:
        """Raises ValueError where that is no state."""
        parts = y0 if isinstance(y0, Sequence) else (y0,)
        tensors = [part for part in parts if isinstance(part, Tensor)]
        if not tensors or len(tensors) < len(parts) or not all(part.numel() for part in tensors):
            raise ValueError(f"y0 must be a tensor or a tuple of tensors, none of them empty; given: {_told(y0)}")
        if len({(part.dtype, part.device) for part in tensors}) > 1:
            raise ValueError(f"the tensors of y0 must have one dtype and one device; given: {_told(y0)}")
        return cls(tuple(part.shape for part in tensors), isinstance(y0, Sequence))

    def pack(self, y: State) -> Float[Tensor, "rows columns"]:
        """As one matrix. Raises ValueError where `y` has another form."""
        parts = tuple(y) if isinstance(y, Sequence) else (y,)
        if tuple(getattr(part, "shape", None) for part in parts) != self.shapes:
            raise ValueError(f"f must give what y is, {_shapes(self.shapes)}; given: {_told(y)}")
        if self.several:
            return torch.cat([part.reshape(-1) for part in parts])[None]
        return parts[0] if self._plain else parts[0].reshape(self._rows, -1)

    def unpack(self, y: Float[Tensor, "*times rows columns"]) -> State:
        """The state again; with `times` before each shape where there are any."""
        if self._plain:
            return y
        before = y.shape[:-2]
        if not self.several:
            return y.reshape((*before, *self.shapes[0]))
        sizes = [math.prod(shape) for shape in self.shapes]
        ends = itertools.accumulate(sizes)
        flat = y.reshape(*before, -1)
        return tuple(
            flat[..., end - size : end].reshape((*before, *shape))
            for size, end, shape in zip(sizes, ends, self.shapes, strict=True)
        )

    def packed(self, f: Callable[[Tensor, Any], Any]) -> Callable[[Tensor, Tensor], Tensor]:
        """f of the state as a function of the matrix: f itself where they are the same."""
        return f if self._plain else lambda t, y: self.pack(f(t, self.unpack(y)))

    @property
    def _plain(self) -> bool:
        return not self.several and len(self.shapes[0]) == 2

    @property
    def _rows(self) -> int:
        return self.shapes[0][0] if len(self.shapes[0]) > 1 else 1


def _told(y: object) -> str:
    parts = y if isinstance(y, Sequence) else (y,)
    words = [f"{tuple(x.shape)} {x.dtype}" if isinstance(x, Tensor) else type(x).__name__ for x in parts]
    return ", ".join(words) or "nothing"


def _shapes(shapes: Sequence[torch.Size]) -> str:
    return ", ".join(str(tuple(shape)) for shape in shapes)
