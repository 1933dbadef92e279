"""What a figure shows, in words: for readers who don't see it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from harness.columns import COLUMNS
from harness.figure import Bias, Box, Coverage, Figure, Pareto, Points, Samples, Scaling, Speedups
from harness.figure.abstract import AbstractLines, AbstractPanels
from harness.frames import geometric_mean
from harness.report.drawings.samples import NEAR
from harness.report.format import FORMATS, Cell, error, listing, plural, ratio, seconds, size
from harness.report.panels import facets_of
from harness.report.tables import dicts

MOST_PANELS = 4
"""Panels whose reading is told; a reader finds those of more in the figure's data."""
MOST_NAMES = 12
"""Lines or rows that are named."""
LOOKS = {Scaling: "Line chart", Points: "Dot chart", Box: "Box plot"}


def alt_text(figure: Figure, data: pd.DataFrame) -> str:
    """The kind of figure, its axes, its panels, its series, and what each panel shows above all."""
    if isinstance(figure, AbstractPanels):
        return " ".join([_axes(figure), *_panels(figure, data), _series(data), *_readings(figure, data)])
    return " ".join([figure.caption, *TOLD[type(figure)](data)])


def _axes(figure: AbstractPanels) -> str:
    y = f"{COLUMNS[figure.y].axis_label} on a logarithmic axis"
    against = COLUMNS[figure.x].axis_label if isinstance(figure, AbstractLines) else "method"
    where = "".join(f", {COLUMNS[axis].label} {value}" for axis, value in figure.where.items())
    return f"{LOOKS.get(type(figure), 'Chart')} of {y} against {against}{where}."


def _panels(figure: AbstractPanels, data: pd.DataFrame) -> list[str]:
    if figure.facet is None:
        return []
    facets = facets_of(figure, data)
    return [f"{plural(len(facets), 'panel')}: {COLUMNS[figure.facet].label} {listing([_text(v) for v in facets])}."]


def _series(data: pd.DataFrame) -> str:
    names = sorted(set(data[_naming(data)]))
    more = len(names) - MOST_NAMES
    named = [*names[:MOST_NAMES], *([f"{more} more"] if more > 0 else [])]
    return f"{len(names)} series: {listing(named)}."


def _naming(data: pd.DataFrame) -> str:
    """The column that says which line or row a mark belongs to."""
    return next(name for name in ("line", "row", "method") if name in data)


def _readings(figure: AbstractPanels, data: pd.DataFrame) -> list[str]:
    """The lowest and the highest of each panel, where lines go over sizes at the largest of them."""
    if figure.facet is None:
        return [_reading(figure, data)]
    facets = facets_of(figure, data)
    label = COLUMNS[figure.facet].label
    parts = [(f"{label} {_text(value)}: ", data[data[figure.facet] == value]) for value in facets]
    return [f"{name}{_reading(figure, part)}" for name, part in parts[:MOST_PANELS] if len(part)]


def _reading(figure: AbstractPanels, panel: pd.DataFrame) -> str:
    place = ""
    if isinstance(figure, AbstractLines) and COLUMNS[figure.x].kind == "axis" and COLUMNS[figure.x].numeric:
        largest = panel[figure.x].max()
        panel = panel[panel[figure.x] == largest]
        place = f"at {COLUMNS[figure.x].label} {_text(largest)} "
    values = panel.groupby(_naming(panel))[figure.y].median().sort_values()
    write = FORMATS[COLUMNS[figure.y].format]
    if len(values) == 1:
        return f"{place}{values.index[0]} has {write(values.iloc[0])}."
    low, high = (f"{values.index[k]} ({write(values.iloc[k])})" for k in (0, -1))
    return f"{place}the lowest is {low}, the highest {high}."


def _ratios(pairs: pd.DataFrame) -> list[str]:
    """Each pair's mean, the most favourable first."""
    means = pairs.groupby("pair")["ratio"].apply(geometric_mean).sort_values(ascending=False)
    told = [f"{name} {ratio(value)}" for name, value in means.head(MOST_NAMES).items()]
    slower = int((pairs["ratio"] < 1).sum())
    return [
        f"{plural(len(means), 'pair')}, geometric means: {listing(told)}.",
        f"The native method is slower in {slower} of {plural(len(pairs), 'comparison')}.",
    ]


def _front(cases: pd.DataFrame) -> list[str]:
    """The cases on the front, the fastest first."""
    front = cases[cases["front"]].sort_values("seconds_median")
    told = [f"{row['name']} ({seconds(row['seconds_median'])}, {size(row['peak_bytes'])})" for row in dicts(front)]
    return [f"{plural(len(cases), 'case')}; on the front, the fastest first: {listing(told[:MOST_NAMES])}."]


def _biases(cases: pd.DataFrame) -> list[str]:
    """Each biased method at the most steps, and the scheme's own error there."""
    last = cases[cases["steps"] == cases["steps"].max()]
    worst = last[last["line"] != ""].groupby("line")["adjoint_error_theta_median"].max().sort_values()
    told = [f"{name} {error(value)}" for name, value in worst.head(MOST_NAMES).items()]
    own = last.loc[last["line"] == "", "gradient_error_theta_median"].median()
    return [
        f"At {plural(int(last['steps'].iloc[0]), 'step')} the adjoint error is {listing(told)}.",
        *([f"The scheme's own error is {error(own)}."] if own == own else []),
    ]


def _became(cells: pd.DataFrame) -> list[str]:
    """How many cases are ok, and of which methods some diverged or failed."""
    told = [f"{cells['ok'].sum()} of {cells['supported'].sum()} supported cases are ok."]
    for column in ("diverged", "failed"):
        bad = sorted(set(cells.loc[cells[column] > 0, "method"]))
        told.append(f"Cases {column} of {listing(bad[:MOST_NAMES])}." if bad else f"No case {column}.")
    return told


def _spread(samples: pd.DataFrame) -> list[str]:
    """How many samples are near the median of their case, how far the furthest are, and how many were disturbed."""
    relative = samples["relative"]
    near = relative.between(1 - NEAR, 1 + NEAR).mean()
    furthest = samples.groupby("row")["relative"].max().sort_values(ascending=False)
    told = [f"{name} {ratio(value)}" for name, value in furthest.head(MOST_PANELS).items()]
    disturbed = int(samples["disturbed"].sum())
    return [
        f"{plural(len(samples), 'sample')} of {plural(samples['case'].nunique(), 'case')}; {near:.0%} lie in the band.",
        f"The longest over their median: {listing(told)}. {plural(disturbed, 'sample')} waited for a core.",
    ]


TOLD: dict[type, Callable[[pd.DataFrame], list[str]]] = {
    Speedups: _ratios,
    Pareto: _front,
    Bias: _biases,
    Coverage: _became,
    Samples: _spread,
}
"""What figures without lines or rows show above all."""


def _text(value: Cell) -> str:
    return FORMATS["text"](value)
