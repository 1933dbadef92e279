"""CSV that a spreadsheet shows as it is: a text that would be a formula begins with an apostrophe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet computes a cell that begins with one of these. `explore/records.js` has the same."""


def write_csv(frame: pd.DataFrame, to: Path | TextIO) -> None:
    """Write a table without its index. Numbers stay as they are."""
    frame.map(_as_text).to_csv(to, index=False)


def _as_text(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
