"""One stable colour a method, and a marker and dash a backend, on every page and in every figure."""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Sequence
from typing import Any

import seaborn as sns

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
LIGHTNESS = {"torch": 0.35, "torch-compile": 0.28, "jax": 0.50, "torchsde": 0.62, "diffrax": 0.70, "torchdiffeq": 0.56}
MARKERS = {"torch": "o", "torch-compile": "P", "jax": "s", "torchsde": "^", "diffrax": "D", "torchdiffeq": "v"}
DASHES = {"torch": "", "torch-compile": "", "jax": "", "torchsde": (4, 2), "diffrax": (4, 2), "torchdiffeq": (4, 2)}


def color(name: str) -> str:
    """The colour of a method, an approach or a backend. Names not known here get one from their digest."""
    backend, _, approach = name.partition("/")
    digest = hashlib.sha256(name.encode()).digest()
    hue = HUES.get(approach or backend, digest[0] / 256)
    lightness = LIGHTNESS.get(backend, 0.35 + 0.3 * digest[1] / 256)
    saturation = 0.0 if hue is None else 0.75
    red, green, blue = colorsys.hls_to_rgb(hue or 0.0, lightness, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def shades(names: Sequence[str]) -> dict[str, Any]:
    """A colour for each line: that of its method, lighter for each further line of the same method."""
    lines: dict[str, list[str]] = {}
    for name in sorted(names):
        lines.setdefault(name.partition(" ")[0], []).append(name)
    colors = {}
    for method, several in lines.items():
        lightest_first = sns.light_palette(color(method), n_colors=max(5, len(several) + 1))
        colors |= dict(zip(several, reversed(lightest_first), strict=False))
    return colors


def marker(name: str) -> str:
    """The marker of a method's backend."""
    return MARKERS.get(name.partition("/")[0], "X")


def dashes(name: str) -> str | tuple[int, int]:
    """Solid for native methods, dashed for libraries."""
    return DASHES.get(name.partition("/")[0], (1, 1))
