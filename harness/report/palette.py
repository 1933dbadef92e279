"""A colour an approach, a marker and a dash a backend: the same on every page and in every figure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import seaborn as sns
from matplotlib.colors import to_rgb

from harness.backend_facts import Style

Color = tuple[float, float, float]
"""Red, green and blue, from 0 to 1."""

# The vibrant and the muted scheme of Paul Tol ("Colour schemes", SRON 2021), which readers with any colour vision tell
# apart: an approach has one colour, whichever library runs it, and its kin have kin colours.
COLORS = {
    "backprop": "#0077bb",
    "direct": "#0077bb",
    "checkpoint": "#33bbee",
    "recursive-checkpoint": "#332288",
    "adjoint": "#cc3311",
    "backsolve": "#cc3311",
    "interpolating-adjoint": "#ee7733",
    "symplectic-adjoint": "#ee3377",
    "reversible": "#009988",
    "ees": "#117733",
    "alf": "#999933",
    "forward": "#882255",
    "forward-gradient": "#aa4499",
    "finite-differences": "#ddaa33",
    "floor": "#777777",
    "solve": "#aaaaaa",
}
OTHERS = ("#44aa99", "#88ccee", "#cc6677", "#bb9955", "#6699cc", "#997700", "#994455")
"""For names that aren't known here: which of them follows from the name."""


READABLE = 4.5
"""The contrast that a text needs (WCAG 2.2, success criterion 1.4.3)."""


def contrast(color: Color) -> float:
    """Of a colour on white, from 1 to 21 (WCAG 2.2, relative luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def of_text(color: Color) -> Color:
    """The colour of a line, darkened as far as a text in it needs to be read."""
    red, green, blue = color
    while contrast((red, green, blue)) < READABLE:
        red, green, blue = 0.97 * red, 0.97 * green, 0.97 * blue
    return red, green, blue


@dataclass(frozen=True)
class Palette:
    """Colours, markers and dashes by the name of a method, of an approach or of a backend."""

    styles: Mapping[str, Style]
    """By backend."""

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Palette:
        """Of the backends in the frame."""
        return cls({name: facts.style for name, facts in zip(frame["backend"], frame["backend_facts"], strict=True)})

    def color(self, name: str) -> str:
        """Of a method's approach, or of another name."""
        backend, _, approach = name.partition("(")[0].partition("/")
        key = approach or backend
        return COLORS.get(key) or OTHERS[hashlib.sha256(key.encode()).digest()[0] % len(OTHERS)]

    def shades(self, names: Sequence[str]) -> dict[str, Color]:
        """A colour for each line: that of its method, lighter for each further line of the same method.

        Lines that are not named by methods, as by schemes, have colours far apart.
        """
        if not any("/" in name for name in names):
            return dict(zip(sorted(names), sns.color_palette("colorblind", len(names)), strict=True))
        lines: dict[str, list[str]] = {}
        for name in sorted(names):
            lines.setdefault(name.partition(" ")[0], []).append(name)
        colors = {}
        for method, several in lines.items():
            own, white = to_rgb(self.color(method)), (1.0, 1.0, 1.0)
            for k, name in enumerate(several):
                share = 0.6 * k / len(several)
                r, g, b = ((1 - share) * c + share * w for c, w in zip(own, white, strict=True))
                colors[name] = (r, g, b)
        return colors

    def marker(self, name: str) -> str:
        """The marker of a method's backend."""
        return self._style(name).marker

    def dashes(self, name: str) -> tuple[float, ...]:
        """A dash and a gap; empty for a solid line."""
        return self._style(name).dashes

    def _style(self, name: str) -> Style:
        return self.styles.get(name.partition("/")[0], Style())
