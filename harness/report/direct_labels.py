"""Labels at the ends of lines, in place of a legend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection

from harness.report.palette import Color, of_text

LETTER = 0.058
"""The width of a letter of a label, in inches: that of most, as a label is measured before it is drawn."""
TICKS = 0.5
"""The width of a panel's ticks and label of y, in inches, where panels share them."""
LEAST_GAP = 0.07
"""Between two labels, of the panel's height."""
EDGE = 0.03
"""Between a label's middle and the panel's edge, of the panel's height: a label doesn't reach into a title."""
OFFSET = 0.03
"""Of a label from the line's end, of the data's width."""


@dataclass(frozen=True)
class Label:
    """A text at the end of a line, in the line's colour or darker, so that it can be read.

    `x` and `y` are in the units of the data.
    """

    text: str
    x: float
    y: float
    color: Color


@dataclass(frozen=True)
class Room:
    """The room for labels beside the data: its share of the data's width, and how wide the panel is with it, in
    inches."""

    share: float
    panel: float

    @classmethod
    def of(cls, texts: Iterable[str], data: float) -> Room:
        """For these labels beside data that is so many inches wide."""
        share = 2 * OFFSET + LETTER * max(map(len, texts), default=0) / data
        return cls(share, data * (1 + share) + TICKS)


@dataclass(frozen=True)
class Limits:
    """Of the data on an axis, the base-10 logarithms of its ends where it is logarithmic."""

    low: float
    high: float
    logarithmic: bool = True

    @classmethod
    def of_places(cls, count: int) -> Limits:
        """Of so many categories, at 0, 1, 2 and so on."""
        return cls(-0.4, count - 0.6, logarithmic=False)

    @classmethod
    def of(cls, values: pd.Series) -> Limits:
        """With a little room at either end; a single value has a tenth of a decade."""
        known = np.log10(values[(values > 0) & np.isfinite(values)].astype(float))
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        room = 0.05 * (high - low) or 0.05
        return cls(low - room, high + room)

    @property
    def width(self) -> float:
        """In decades, or in the units of the data."""
        return self.high - self.low

    def at(self, share: float) -> float:
        """A place so far from the low end, in widths, in the units of the data."""
        place = self.low + share * self.width
        return 10**place if self.logarithmic else place

    def share(self, value: float) -> float:
        """The inverse of `at`; 0 for what a logarithmic axis doesn't have."""
        if not self.has(value):
            return 0.0
        return ((float(np.log10(value)) if self.logarithmic else value) - self.low) / self.width

    def has(self, value: float) -> bool:
        """Whether the axis has such a value: a logarithmic one has no zero."""
        return value > 0 or not self.logarithmic

    def ends(self, room: float = 0.0) -> tuple[float, float]:
        """The limits of an axis, with more room above: a share of the width."""
        return self.at(0.0), self.at(1.0 + room)


def write_labels(axes: plt.Axes, labels: list[Label], x: Limits, y: Limits) -> None:
    """Write the labels to the right of the data, apart from each other, each joined with its line's end.

    The label of a line that ends at a zero, on a logarithmic axis, says so at the lower end, joined with nothing.
    """
    if not labels:
        return
    ordered = sorted(labels, key=lambda label: label.y)
    inner = 1 - 2 * EDGE
    wanted = [(y.share(label.y) - EDGE) / inner for label in ordered]
    places = [y.at(EDGE + inner * place) for place in spread(wanted, min(LEAST_GAP / inner, 1 / len(wanted)))]
    left = x.at(1.0 + OFFSET)
    for label, place in zip(ordered, places, strict=True):
        text = label.text if y.has(label.y) else f"{label.text}: 0"
        axes.text(left, place, text, color=of_text(label.color), fontsize=8, va="center")
    joined = [(label, place) for label, place in zip(ordered, places, strict=True) if y.has(label.y)]
    ends = [[(label.x, label.y), (x.at(1.0 + OFFSET / 2), place)] for label, place in joined]
    colors = [(*label.color, 0.6) for label, _ in joined]
    axes.add_collection(LineCollection(ends, colors=colors, linewidths=0.5, zorder=1.9), autolim=False)


def power(slope: float) -> str:
    """A slope as it stands after a line's name: " (−0.50)"; nothing where there is none."""
    return "" if math.isnan(slope) else f" ({round(slope, 2) + 0.0:.2f})".replace("-", "−")


def spread(places: list[float], gap: float) -> list[float]:
    """Ascending places, moved as little as needed so that neighbours are at least `gap` apart, within 0 and 1 if it
    fits: groups that touch are centred on their mean (the pool-adjacent-violators algorithm for places less k gap).
    """
    shifted = [place - k * gap for k, place in enumerate(places)]
    blocks: list[tuple[float, int]] = []
    for value in shifted:
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, n), (b, m) = blocks[-2:]
            blocks[-2:] = [((a * n + b * m) / (n + m), n + m)]
    level = [value for value, count in blocks for _ in range(count)]
    most = 1.0 - (len(places) - 1) * gap
    return [min(max(value, 0.0), max(most, 0.0)) + k * gap for k, value in enumerate(level)]
