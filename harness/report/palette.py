"""One stable colour a method, and a marker and dash a backend, on every page and in every figure."""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import seaborn as sns

from harness.backend_facts import Style

Color = tuple[float, float, float]
"""Red, green and blue, from 0 to 1."""

# A hue an approach family, a lightness a backend: methods that do the same are kin to the eye.
HUES = {
    "backprop": 0.60,
    "recursive-checkpoint": 0.66,
    "checkpoint": 0.50,
    "direct": 0.55,
    "adjoint": 0.04,
    "backsolve": 0.00,
    "interpolating-adjoint": 0.08,
    "symplectic-adjoint": 0.13,
    "reversible": 0.34,
    "ees": 0.42,
    "alf": 0.27,
    "forward": 0.78,
    "forward-gradient": 0.84,
    "finite-differences": 0.91,
    "floor": None,
}


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
        """Names not known here get a colour from their digest."""
        backend, _, approach = name.partition("/")
        digest = hashlib.sha256(name.encode()).digest()
        hue = HUES.get(approach or backend, digest[0] / 256)
        lightness = self._style(name).lightness
        if lightness is None:
            lightness = 0.35 + 0.3 * digest[1] / 256
        saturation = 0.0 if hue is None else 0.75
        red, green, blue = colorsys.hls_to_rgb(hue or 0.0, lightness, saturation)
        return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"

    def shades(self, names: Sequence[str]) -> dict[str, Color]:
        """A colour for each line: that of its method, lighter for each further line of the same method."""
        lines: dict[str, list[str]] = {}
        for name in sorted(names):
            lines.setdefault(name.partition(" ")[0], []).append(name)
        colors = {}
        for method, several in lines.items():
            lightest_first = sns.light_palette(self.color(method), n_colors=max(5, len(several) + 1))
            colors |= dict(zip(several, reversed(lightest_first), strict=False))
        return colors

    def marker(self, name: str) -> str:
        """The marker of a method's backend."""
        return self._style(name).marker

    def dashes(self, name: str) -> tuple[float, ...]:
        """A dash and a gap; empty for a solid line."""
        return self._style(name).dashes

    def _style(self, name: str) -> Style:
        return self.styles.get(name.partition("/")[0], Style())
