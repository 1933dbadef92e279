"""Ticks with units: 1 MiB, 10 ms, 2,048."""

from __future__ import annotations

import math
import re

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogFormatterSciNotation,
    LogLocator,
    NullFormatter,
    NullLocator,
)

from harness.column import Format
from harness.columns import COLUMNS
from harness.report.format import seconds, size

MOST_TICKS = 8
"""So many values of x are each marked; more are left to matplotlib."""


WITH_UNITS: tuple[Format, ...] = ("bytes", "seconds")
"""Ticks of these have their units."""


DECADE = 10.0


def axis_label(name: str) -> str:
    """The column's label, without the unit that the ticks have."""
    column = COLUMNS[name]
    return column.label if column.format in WITH_UNITS else column.axis_label


def scale_x(axes: plt.Axes, name: str, values: pd.Series, limits: tuple[float, float]) -> None:
    """Logarithmic. Where the values are few and whole, as steps are, each has a tick."""
    axes.set_xscale("log")
    ticks = sorted(values.unique())
    if len(ticks) <= MOST_TICKS and all(float(tick).is_integer() for tick in ticks):
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{int(value):,}"))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        write_ticks(axes.xaxis, COLUMNS[name].format, *limits)
    axes.set_xlim(limits)


def name_x(axes: plt.Axes, categories: list[str], limits: tuple[float, float]) -> None:
    """A tick for each category, at 0, 1, 2 and so on."""
    axes.set_xticks(range(len(categories)), categories, fontsize=8)
    axes.set_xlim(limits)


def categories(name: str, values: pd.Series) -> list[str]:
    """The values in the order in which the column declares them, or else of their first appearance."""
    found = list(dict.fromkeys(values))
    return [choice for choice in COLUMNS[name].choices if choice in found] or found


def scale_y(axes: plt.Axes, name: str, limits: tuple[float, float]) -> None:
    """Logarithmic, its ticks written as people write such numbers."""
    axes.set_yscale("log")
    write_ticks(axes.yaxis, COLUMNS[name].format, *limits)
    axes.set_ylim(limits)


def write_ticks(axis: Axis, written: Format, low: float, high: float) -> None:
    """Bytes at powers of two and seconds at powers of ten, with their units. Others are left to matplotlib."""
    if written == "bytes":
        axis.set_major_locator(FixedLocator(powers_of_two(low, high)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: size(value)))
    elif written == "seconds":
        axis.set_major_locator(LogLocator(10, subs=(1.0,) if high / low > 30 else (1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: seconds(value)))
    elif high / low <= DECADE:
        return  # matplotlib labels some of the ticks in between, for which there is room
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())


RATIOS = (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Where an axis of ratios near 1 may have ticks."""


def ratio_ticks(axis: Axis, low: float, high: float) -> None:
    """Ticks of a logarithmic axis of ratios: 0.8, 1, 1.25. Those nearest to 1 are left out where there are too many."""
    within = [ratio for ratio in RATIOS if low <= ratio <= high]
    while len(within) > MOST_TICKS:
        within.remove(min((ratio for ratio in within if ratio != 1.0), key=lambda ratio: abs(math.log(ratio))))
    axis.set_major_locator(FixedLocator(within))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


class _PlainPowers(LogFormatterSciNotation):
    """Powers of ten as texts: 10⁻², 2×10⁻². Matplotlib writes them as formulas, which our texts are not."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        formula = super().__call__(x, pos).replace(r"\times", "×")
        text = re.sub(r"\^\{(-?\d+)\}", lambda found: found[1].translate(SUPERSCRIPTS), formula)
        return re.sub(r"\$|\\mathdefault|[{}\s]", "", text)


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain_powers(axes: plt.Axes) -> None:
    """Write the powers of ten at the logarithmic axes of a panel as texts."""
    for axis in (axes.xaxis, axes.yaxis):
        if type(axis.get_major_formatter()) is LogFormatterSciNotation:
            axis.set_major_formatter(_PlainPowers())
        if type(axis.get_minor_formatter()) is LogFormatterSciNotation:
            axis.set_minor_formatter(_PlainPowers())


def powers_of_two(low: float, high: float) -> list[float]:
    """At most seven from `low` to `high`, at equal distances."""
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    stride = max(1, -(-(last - first + 1) // 7))
    return [2.0**k for k in range(first, last + 1) if (k - first) % stride == 0]
