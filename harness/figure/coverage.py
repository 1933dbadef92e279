"""What was measured, and what became of it."""

from __future__ import annotations

from typing import Annotated, Literal

from harness.columns import COLUMNS, with_role
from harness.figure.abstract import AbstractFigure
from harness.grammar import choice


class Coverage(AbstractFigure):
    """A row a method and a column a value of `x`: ok, unsupported, diverged, failed."""

    figure: Literal["coverage"]
    x: Annotated[str, choice(with_role("facet"))] = "scheme"

    @property
    def caption(self) -> str:
        """What the figure shows, in words."""
        where = "".join(f", {COLUMNS[axis].label} {value}" for axis, value in self.where.items())
        return (
            f"What became of the cases of each method and {COLUMNS[self.x].label}{where}. The number counts those that"
            " are ok, of all that the method supports. An empty cell wasn't asked for. The reasons are in the sections"
            ' "What failed" and "What is unsupported".'
        )
