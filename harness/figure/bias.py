"""Where the error of a gradient method disappears below that of the scheme."""

from __future__ import annotations

from typing import Literal

from harness.columns import COLUMNS
from harness.figure.abstract import AbstractFigure, Facet


class Bias(AbstractFigure):
    """The adjoint error of biased methods over the steps, beside the gradient error of the scheme itself."""

    figure: Literal["bias"]
    facet: Facet = "scheme"

    @property
    def caption(self) -> str:
        """What the figure shows, in words."""
        where = "".join(f", {COLUMNS[axis].label} {value}" for axis, value in self.where.items())
        return (
            f"The adjoint error over the steps{where}, a panel for each {COLUMNS[self.facet].label}. The grey band is"
            " the gradient error of the scheme: that of the methods that give the exact gradient of their solve. A"
            " method whose line lies far below the band adds nothing that matters to the scheme's own error. The number"
            " after a name is the power at which it changes with the steps."
        )
