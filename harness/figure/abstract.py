"""What all kinds of figures have, and what those with panels and lines have besides."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import Field

from harness.column import UNRESOLVED
from harness.columns import COLUMNS, RATIOS, error_of, with_role
from harness.grammar import Strict, WhereValue, choice

Facet = Annotated[str, choice(with_role("facet"))]


class AbstractFigure(Strict):
    """A figure of the report. `where` keeps only the records whose axes have these values."""

    where: dict[Facet, WhereValue] = Field(default_factory=dict)

    @property
    @abstractmethod
    def caption(self) -> str:
        """What the figure shows, in words."""


class AbstractPanels(AbstractFigure):
    """A figure of the column `y`, with a panel for each value of `facet`."""

    y: Annotated[str, choice(with_role("y"))] = "seconds_median"
    facet: Facet | None = None

    @property
    @abstractmethod
    def named_by(self) -> str:
        """The column whose values name the lines or rows."""

    def _caption(self, subject: str, marks: str) -> str:
        """`subject` with the records and panels, and what the hollow ones of `marks` mean."""
        where = "".join(f", {COLUMNS[axis].label} {value}" for axis, value in self.where.items())
        facet = f", a panel for each {COLUMNS[self.facet].label}" if self.facet else ""
        note = ""
        if error_of(self.y):
            note = f" Hollow {marks} lie within {UNRESOLVED:g} times the reference's error bar: not resolved."
        if self.y == "seconds_median":
            note = " Medians of the paired rounds, with their 95% intervals."
        if COLUMNS[self.y] in RATIOS:
            note = " Medians of the ratios round by round, with their 95% intervals."
        return f"{subject[0].upper()}{subject[1:]}{where}{facet}.{note}"


class AbstractLines(AbstractPanels):
    """A figure of `y` over `x`, a line or a row of boxes for each value of `color` and each setting."""

    x: Annotated[str, choice(with_role("x"))] = "steps"
    color: Annotated[str, choice(with_role("color"))] = "method"

    @property
    def named_by(self) -> str:
        """What colours it."""
        return self.color

    @property
    def _subject(self) -> str:
        return f"{COLUMNS[self.y].axis_label} over {COLUMNS[self.x].axis_label}"
