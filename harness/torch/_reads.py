"""What f and g read, found out once where that is enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jaxtyping import Float
from torch import Tensor

from harness.torch._parameters import parameters_of
from harness.torch._right_hand_side import RightHandSide


class Reads:
    """The columns of g, and the tensors that the gradients of f and g go to.

    f and g are evaluated at the times of the grid to find them. A solve that is done again and again keeps one of
    these: where all that is read are leaves, such as parameters, they are known after the first time, and where the
    first time alone shows all of it, the others are left out.
    """

    def __init__(self) -> None:
        self._leaves: tuple[int, list[Tensor]] | None = None
        self._at_start = False
        self._looked = False

    def columns(self, side: RightHandSide, y: Float[Tensor, "batch dim"], at: Sequence[Tensor]) -> int:
        """m alone, as it is at the first time, for a method that autograd sees all of."""
        if self._leaves is None:
            self._leaves, self._looked = (side.noise_dim(at[0], y), []), True
        return self._leaves[0]

    def of(
        self, side: RightHandSide, y: Float[Tensor, "batch dim"], at: Sequence[Tensor], params: Iterable[Tensor]
    ) -> tuple[int, list[Tensor]]:
        """m and the tensors. Raises ValueError where a shape is wrong."""
        if self._leaves is not None:
            return self._leaves
        params, shown = list(params), []

        def look(times: Sequence[Tensor]) -> list[Tensor]:
            return parameters_of(side.owner, lambda: shown.extend(side.noise_dim(t, y) for t in times), params)

        found = look(at[:1] if self._at_start else at)
        if not self._looked:
            self._looked = True
            if all(x.is_leaf for x in found):
                self._leaves = shown[0], found
            else:
                self._at_start = len(look(at[:1])) == len(found)
        return shown[0], found
