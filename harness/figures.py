"""The figures of a page, drawn from a DataFrame of records: `harness.figures.scaling(harness.load("memory"))`.

Each function takes the records and the options of the figure of that name (docs/suites.md), and returns a matplotlib
figure. Raises ValueError where an option is wrong or the records have nothing to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.figure import KINDS
from harness.lazy import lazily

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.report import figures as _drawn
else:
    (_drawn,) = lazily("harness.report.figures")  # matplotlib and seaborn


def scaling(frame: pd.DataFrame, **options: object) -> Figure:
    """`y` over `x`, a line a method; `color`, `facet`, `where`."""
    return _figure("scaling", frame, options)


def points(frame: pd.DataFrame, **options: object) -> Figure:
    """A row a method, a point at its `y`; `facet`, `where`."""
    return _figure("points", frame, options)


def box(frame: pd.DataFrame, **options: object) -> Figure:
    """Boxes of the samples of `y` at each `x`; `color`, `facet`, `where`."""
    return _figure("box", frame, options)


def speedups(frame: pd.DataFrame, **options: object) -> Figure:
    """The paired ratios of native methods to the libraries'; `where`."""
    return _figure("speedups", frame, options)


def pareto(frame: pd.DataFrame, **options: object) -> Figure:
    """Time and peak memory of each case, and the front; `facet`, `where`."""
    return _figure("pareto", frame, options)


def bias(frame: pd.DataFrame, **options: object) -> Figure:
    """The adjoint error over the steps beside the scheme's own error; `facet`, `where`."""
    return _figure("bias", frame, options)


def coverage(frame: pd.DataFrame, **options: object) -> Figure:
    """What became of the cases of each method and value of `x`; `where`."""
    return _figure("coverage", frame, options)


def samples(frame: pd.DataFrame, **options: object) -> Figure:
    """Every sample of the times, over the median of its case; `where`."""
    return _figure("samples", frame, options)


def _figure(kind: str, frame: pd.DataFrame, options: dict[str, object]) -> Figure:
    figure = KINDS[kind].model_validate({"figure": kind, **options})  # pydantic's error is a ValueError
    drawn = _drawn.plotted(figure, frame)
    if drawn is None:
        raise ValueError("the records have nothing to show in this figure")
    return drawn[1]
