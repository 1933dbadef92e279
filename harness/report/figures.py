"""Figures, drawn by seaborn as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.patches import Patch

from harness.frames import COMPUTED, UNRESOLVED
from harness.report.palette import color, dashes, marker
from harness.suite import Figure

LABELS = {
    "seconds_median": "seconds, forward and gradient",
    "floor_ratio": "time over floor",
    "peak_bytes": "peak memory, bytes",
    "gradient_error_theta_median": "gradient error of θ (relative)",
    "gradient_error_y0_median": "gradient error of y0 (relative)",
    "adjoint_error_theta_median": "adjoint error of θ (relative)",
    "adjoint_error_y0_median": "adjoint error of y0 (relative)",
    "loss_error_median": "loss error (relative)",
    "dim": "dimension",
    "batch": "batch size",
}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.titlesize": 10,
    "axes.grid": True,
    "grid.alpha": 0.4,
}


def draw(figure: Figure, frame: pd.DataFrame) -> str | None:
    """The figure as an SVG element, None where the run has nothing to draw in it."""
    data = frame[frame["status"] == "ok"].dropna(subset=[figure.y])
    for axis, value in figure.where.items():
        data = data[data[axis] == value]
    if figure.x not in ("noise", "method"):
        data = data.dropna(subset=[figure.x])
    if "error" in figure.y:
        data = data[data["approach"] != "floor"]
    if data.empty:
        return None
    drawers: dict[str, Callable[[Figure, pd.DataFrame], sns.FacetGrid]] = {
        "scaling": _scaling,
        "points": _points,
        "box": _box,
    }
    with mpl.rc_context(STYLE), sns.axes_style("whitegrid"):
        grid = drawers[figure.figure](figure, data)
        svg = _svg(grid.figure)
        plt.close(grid.figure)
    return svg


def caption(figure: Figure) -> str:
    """What the figure shows, in words."""
    words = f"{label(figure.y)} over {label(figure.x)}" if figure.x != "method" else f"{label(figure.y)} by method"
    facet = f", a panel for each {label(figure.facet)}" if figure.facet else ""
    note = ""
    if figure.y.startswith("gradient_error"):
        note = f" Hollow points lie within {UNRESOLVED:g} times the reference's error bar: not resolved."
    if figure.y == "seconds_median":
        note = " Medians of the paired rounds, with their 95% intervals."
    if figure.figure == "box":
        note = " A box spans the quartiles over the Brownian paths, its whiskers 1.5 times their distance."
    where = "".join(f", {label(axis)} {value}" for axis, value in figure.where.items())
    return f"{words[0].upper()}{words[1:]}{where}{facet}.{note}"


def label(column: str) -> str:
    """A column in words."""
    return LABELS.get(column, column.replace("_", " "))


def _scaling(figure: Figure, data: pd.DataFrame) -> sns.FacetGrid:
    """Both axes logarithmic, a line a method (and scheme, where a method has several)."""
    facets = sorted(data[figure.facet].unique(), key=str) if figure.facet else None
    grid = sns.FacetGrid(
        data, col=figure.facet, col_order=facets, col_wrap=3 if facets else None, height=3.6, aspect=1.15
    )
    interval = _interval(figure)
    for panel, axes in _panels(figure, grid, data):
        for name, line in _lines(figure, panel):
            axes.plot(line[figure.x], line[figure.y], **_line_style(name))
            if interval:
                low, high = interval
                axes.fill_between(line[figure.x], line[low], line[high], color=color(_method(name)), alpha=0.15)
            if figure.y.startswith("gradient_error"):
                hollow = line[line[figure.y] <= UNRESOLVED * line["reference_error"]]
                axes.plot(
                    hollow[figure.x],
                    hollow[figure.y],
                    ls="",
                    marker=marker(name),
                    mfc="white",
                    mec=color(_method(name)),
                    zorder=3,
                )
        axes.set_xscale("log" if pd.api.types.is_numeric_dtype(panel[figure.x]) else "linear")
        axes.set_yscale("log")
    _finish(grid, figure, label(figure.x), label(figure.y))
    handles: dict[str, Any] = {}
    for axes in grid.axes.flat:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    grid.figure.legend(
        handles.values(),
        handles.keys(),
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize=8,
    )
    return grid


def _lines(figure: Figure, panel: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The lines of a panel. Of what varies besides the median is taken, so that a line is a function."""
    several = figure.color != "scheme" and panel.groupby(figure.color)["scheme"].nunique().max() > 1
    keys = [figure.color, *(["scheme"] if several else [])]
    lines = []
    for key, group in panel.groupby(keys, sort=True):
        columns = [c for c in (figure.y, *_interval(figure), "reference_error") if c != figure.x]
        line = group.groupby(figure.x)[list(dict.fromkeys(columns))].median().reset_index()
        lines.append((" ".join(map(str, key)), line))
    return lines


def _method(name: str) -> str:
    """Of a line or row, whose name may go on with what tells it from others."""
    return name.split(" ")[0]


def _line_style(name: str) -> dict[str, Any]:
    dash = dashes(name)
    return {
        "label": name,
        "color": color(_method(name)),
        "marker": marker(name),
        "markersize": 5,
        "linewidth": 1.4,
        "linestyle": "-" if not dash else (0, dash),
    }


def _points(figure: Figure, data: pd.DataFrame) -> sns.FacetGrid:
    """A row a method, a point at its value on a logarithmic axis, the smallest first."""
    facets = sorted(data[figure.facet].unique(), key=str) if figure.facet else None
    data = data.assign(row=_row_names(figure, data))
    height = 1.0 + 0.24 * data["row"].nunique()
    grid = sns.FacetGrid(
        data,
        col=figure.facet,
        col_order=facets,
        col_wrap=2 if facets else None,
        height=height,
        aspect=6.0 / height,
        sharey=False,
    )
    interval = _interval(figure)
    for panel, axes in _panels(figure, grid, data):
        panel = panel.sort_values(figure.y)
        order = list(dict.fromkeys(panel["row"]))
        palette = {name: color(_method(name)) for name in order}
        sns.stripplot(
            panel,
            x=figure.y,
            y="row",
            order=order,
            hue="row",
            palette=palette,
            legend=False,
            jitter=False,
            size=8,
            ax=axes,
        )
        if interval:
            low, high = interval
            rows = panel.drop_duplicates("row").set_index("row").loc[order]
            spread = [rows[figure.y] - rows[low], rows[high] - rows[figure.y]]
            axes.errorbar(rows[figure.y], range(len(order)), xerr=spread, fmt="none", ecolor="black", elinewidth=0.9)
        axes.set_xscale("log")
        axes.grid(True, axis="both", alpha=0.5)
    _finish(grid, figure, label(figure.y), "")
    return grid


def _interval(figure: Figure) -> tuple[str, ...]:
    """The columns that bound y, where it has such."""
    ends = tuple(f"{figure.y.removesuffix('_median')}_{end}" for end in ("low", "high"))
    return ends if set(ends) <= set(COMPUTED) else ()


def _box(figure: Figure, data: pd.DataFrame) -> sns.FacetGrid:
    """At each x, for each method and scheme, a box of the replicates; y logarithmic."""
    column = figure.y.removesuffix("_median")
    several = data.groupby(figure.color)["scheme"].nunique().max() > 1
    names = data[figure.color] + (" " + data["scheme"] if several else "")
    data = data.assign(line=names).explode(column).astype({column: float})
    facets = sorted(data[figure.facet].unique(), key=str) if figure.facet else None
    grid = sns.FacetGrid(
        data, col=figure.facet, col_order=facets, col_wrap=3 if facets else None, height=3.6, aspect=1.25, sharey=False
    )
    order = sorted(data["line"].unique())
    palette = _box_colors(order)
    for panel, axes in _panels(figure, grid, data):
        sns.boxplot(
            panel,
            x=figure.x,
            y=column,
            hue="line",
            hue_order=order,
            palette=palette,
            linewidth=0.8,
            fliersize=2,
            legend=False,
            ax=axes,
        )
        axes.set_yscale("log")
    _finish(grid, figure, label(figure.x), label(figure.y))
    handles = [Patch(facecolor=palette[name], edgecolor="black", label=name) for name in order]
    grid.figure.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    return grid


def _box_colors(names: list[str]) -> dict[str, Any]:
    """The method's colour; lighter for each further scheme of a method."""
    seen: dict[str, int] = {}
    colors = {}
    for name in names:
        nth = seen[_method(name)] = seen.get(_method(name), -1) + 1
        colors[name] = sns.light_palette(color(_method(name)), n_colors=4)[3 - min(nth, 2)]
    return colors


def _row_names(figure: Figure, data: pd.DataFrame) -> pd.Series:
    """The method, with whatever else tells the rows of a panel apart."""
    candidates = ("scheme", "noise", "problem", "dim", "steps", "dtype", "brownian")
    varying = [c for c in candidates if c != figure.facet and data[c].nunique() > 1]
    return data.apply(lambda row: " ".join([row["method"], *(str(row[c]) for c in varying)]), axis=1)


def _panels(figure: Figure, grid: sns.FacetGrid, data: pd.DataFrame) -> list[tuple[pd.DataFrame, plt.Axes]]:
    """The data of each panel, with its axes."""
    if not figure.facet:
        return [(data, grid.ax)]
    return [(data[data[figure.facet] == value], axes) for value, axes in grid.axes_dict.items()]


def _finish(grid: sns.FacetGrid, figure: Figure, x: str, y: str) -> None:
    grid.set_axis_labels(x, y)
    if figure.facet:
        grid.set_titles(f"{label(figure.facet)} {{col_name}}")
    grid.tight_layout()


def _svg(figure: plt.Figure) -> str:
    """The SVG element alone, without date, so that the same data gives the same bytes."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "gradient-harness"}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
