"""A Brownian path that is given, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor


class GivenNoise:
    """`noise[n]` is the increment of `path(t0, t1)` over step n. The last one asked for is held."""

    def __init__(self, path: Callable[[float, float], object], times: Sequence[float], like: Tensor, m: int) -> None:
        self._path = path
        self._times = times
        self._like = like
        self._shape = (len(like), m)
        self._held: tuple[int, Tensor | None] = (-1, None)

    def __getitem__(self, n: int) -> Float[Tensor, "batch m"]:
        """The noise of step n."""
        index, held = self._held
        if index == n and held is not None:
            return held
        dW = self._path(self._times[n], self._times[n + 1])
        if not isinstance(dW, Tensor):
            raise ValueError(f"bm must give a tensor; given: {type(dW).__name__}")
        if tuple(dW.shape) != self._shape:
            raise ValueError(f"bm gives an increment of shape {tuple(dW.shape)}; needed: {self._shape}")
        dW = dW.detach().to(self._like)
        self._held = (n, dW)
        return dW

    def forget(self) -> None:
        """Let go of what is held."""
        self._held = (-1, None)
