"""Ticks with units: 1 MiB, 10 ms, 2,048. There are so few that their labels don't touch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from harness.column import Format
from harness.columns import COLUMNS
from harness.report.direct_labels import Limits
from harness.report.format import seconds, size

MOST_TICKS = 6
"""On an axis, the part of it that has no data included."""
MOST_TIMES = 5
"""Of times, whose labels are longer."""
MOST_MARKED = 8
"""So many values of x are each marked, if they are whole numbers."""
WITH_UNITS: tuple[Format, ...] = ("bytes", "seconds")
"""Ticks of these have their units."""
LEADING = (
    (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0),
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    (1.0, 2.0, 5.0),
    (1.0, 3.0),
    (1.0,),
)
"""What ticks within a decade may begin with, the finest first."""


def axis_label(name: str) -> str:
    """The column's label, without the unit that the ticks have."""
    column = COLUMNS[name]
    return column.label if column.format in WITH_UNITS else column.axis_label


def scale_x(axes: plt.Axes, name: str, values: pd.Series, limits: Limits, room: float) -> None:
    """Logarithmic, with room for labels, which has no ticks. Few and whole values, as steps are, have a tick each."""
    axes.set_xscale("log")
    ticks = sorted(float(tick) for tick in values.unique())
    if len(ticks) <= MOST_MARKED and all(tick.is_integer() for tick in ticks):
        _mark(axes.xaxis, ticks, lambda value: f"{int(value):,}")
    else:
        write_ticks(axes.xaxis, COLUMNS[name].format, *limits.ends())
    axes.set_xlim(limits.ends(room))


def name_x(axes: plt.Axes, categories: list[str], limits: tuple[float, float]) -> None:
    """A tick for each category, at 0, 1, 2 and so on, turned where the names are long."""
    long = len(categories) * max(map(len, categories)) > MOST_LETTERS
    turned = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if long else {}
    axes.set_xticks(range(len(categories)), categories, fontsize=8, **turned)
    axes.set_xlim(limits)


MOST_LETTERS = 32
"""Of all names of categories at an axis, the longest counted for each, if they stand in a line."""


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
    """Of a logarithmic axis: bytes at powers of two, seconds with their units, ratios plain, others as powers of ten
    where they are no plain numbers."""
    if written == "bytes":
        _mark(axis, powers_of_two(low, high), size)
    elif written == "seconds":
        _mark(axis, decades(low, high, MOST_TIMES), seconds)
    elif written == "ratio" and high / low <= WIDE:
        _mark(axis, near_one(low, high), plain)
    else:
        _mark(axis, decades(low, high), power_of_ten if written == "error" else plain)


class _Written(FuncFormatter):
    """The formatter of our ticks, of which some may be left out; matplotlib's own are of categories, which all stay."""


def _mark(axis: Axis, ticks: list[float], write: Callable[[float], str]) -> None:
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(_Written(lambda value, _: write(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())


def thin(axis: Axis) -> None:
    """Leave out every other tick as long as labels touch. Categories all stay."""
    while isinstance(axis.get_major_formatter(), _Written):
        places = [float(place) for place in axis.get_majorticklocs()]
        boxes = [label.get_window_extent() for label in axis.get_majorticklabels()]
        if not any(a.padded(ROOM_PIXELS).overlaps(b) for a, b in itertools.pairwise(boxes)):
            return
        axis.set_major_locator(FixedLocator(places[::2]))


ROOM_PIXELS = 3
"""Between two labels."""


def decades(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """At 1, 2, 5, 10 and so on: the finest such ticks of which there are not too many, every few decades if need be."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for leading in LEADING:
        ticks = [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in leading]
        within = [tick for tick in ticks if low <= tick <= high]
        if len(within) <= most:
            few = leading is LEADING[0] and len(within) < FEWEST
            return _equal(low, high) if few else within
    stride = -(-(last - first + 1) // most)
    within = [float(f"1e{power}") for power in range(first, last + 1) if power % stride == 0]
    return [tick for tick in within if low <= tick <= high]


FEWEST = 2
"""Ticks of an axis: one says nothing of its scale."""


def _equal(low: float, high: float) -> list[float]:
    """At equal distances, where an axis is much less than a decade."""
    found = MaxNLocator(MOST_TICKS - 2, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in found if low <= tick <= high]


WIDE = 8.0
"""An axis of ratios that covers more has ticks at 1, 2, 5, 10, one that covers less those near 1."""
RATIOS = (1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0)
"""Where an axis of ratios near 1 may have ticks above it."""
BELOW = (0.95, 0.9, 0.8, 0.67, 0.5, 0.33, 0.2)
"""And below it."""


def near_one(low: float, high: float) -> list[float]:
    """Ticks of ratios, from 1 outwards: 0.8, 1, 1.25. Those too near to the last are left out."""
    if not low <= 1.0 <= high:
        return decades(low, high)
    up = apart([1.0, *RATIOS], low, high)
    down = apart([1.0, *BELOW], low, high)
    return sorted({*up, *down})


def apart(ticks: list[float], low: float, high: float) -> list[float]:
    """Those ticks of a logarithmic axis, in their order, that are far enough from the last one."""
    least = math.log(high / low) / (MOST_TICKS + 4)
    kept: list[float] = []
    for tick in ticks:
        if low <= tick <= high and (not kept or abs(math.log(tick / kept[-1])) >= least):
            kept.append(tick)
    return kept


def plain(value: float) -> str:
    """0.05, 1, 2,000; a power of ten where that would be long."""
    return f"{value:,.6g}" if 1e-3 <= value < 1e6 else power_of_ten(value)


def power_of_ten(value: float) -> str:
    """10⁻², 2×10⁻²."""
    digits, _, power = f"{value:.3e}".partition("e")
    digits = digits.rstrip("0").rstrip(".")
    return ("" if digits == "1" else f"{digits}×") + f"10{str(int(power)).translate(SUPERSCRIPTS)}"


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def powers_of_two(low: float, high: float) -> list[float]:
    """At most seven from `low` to `high`, at equal distances."""
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    stride = max(1, -(-(last - first + 1) // 7))
    return [2.0**k for k in range(first, last + 1) if (k - first) % stride == 0]
