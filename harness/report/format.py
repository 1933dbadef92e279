"""Numbers for people, on the page and in the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from harness.column import Format

NOTHING = "–"
Cell: TypeAlias = Any
"""A value of a table: text, or a number, of Python or NumPy; None or NaN where there is none."""


def missing(value: Cell) -> bool:
    """None or not a number."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _digits(value: float) -> str:
    """Three of them, all that stand before the point where these are more."""
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def text(value: Cell) -> str:
    """A word as it is, a number with up to ten digits."""
    if missing(value):
        return NOTHING
    return value if isinstance(value, str) else f"{value:.10g}"


def seconds(value: Cell) -> str:
    """Three digits with a unit that suits."""
    if missing(value):
        return NOTHING
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{_digits(value * factor)} {unit}"
    return f"{_digits(value * 1e6)} µs"


def size(value: Cell) -> str:
    """Three digits with a unit that suits."""
    if missing(value):
        return NOTHING
    for factor, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if value >= factor:
            return f"{_digits(value / factor)} {unit}"
    return f"{value:.0f} B"


def error(value: Cell) -> str:
    """Two digits, scientific."""
    return NOTHING if missing(value) else f"{value:.1e}"


def decimal(value: Cell) -> str:
    """Two decimals, and no minus before a zero."""
    return NOTHING if missing(value) else f"{value:z.2f}"


def cosine(value: Cell) -> str:
    """Six decimals, one minus what is left below."""
    return NOTHING if missing(value) else f"{value:.6f}"


def ratio(value: Cell) -> str:
    """Three digits and a times sign."""
    return NOTHING if missing(value) else f"{_digits(value)}×"


def speed(least: float, greatest: float) -> str:
    """Ratios of speeds, from the least to the greatest: 2 to 8 times as fast, 1.5 times as slow."""
    if greatest < 1:
        return f"{span(1 / greatest, 1 / least)} times as slow"
    if least < 1:
        return f"between {_digits(1 / least)} times as slow and {_digits(greatest)} times as fast"
    return f"{span(least, greatest)} times as fast"


def span(low: float, high: float, write: Callable[[float], str] = _digits) -> str:
    """From one value to another; the one where both are written alike."""
    low_text, high_text = write(low), write(high)
    return low_text if low_text == high_text else f"{low_text} to {high_text}"


FORMATS: dict[Format, Callable[[Cell], str]] = {
    "text": text,
    "seconds": seconds,
    "bytes": size,
    "error": error,
    "decimal": decimal,
    "cosine": cosine,
    "ratio": ratio,
}
"""How the values of a column are written."""


def listing(items: list[str]) -> str:
    """a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def plural(count: int, noun: str) -> str:
    """1 block, 2 blocks."""
    return f"{count} {noun}" + ("" if count == 1 else "s")
