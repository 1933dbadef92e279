"""Text from records and suites as a page shows it: what can't be seen is written as an escape."""

from __future__ import annotations

import re

import pandas as pd

_HIDDEN = re.compile(
    # Control characters, but not tab and the ends of lines.
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    # Marks of direction, and what has no shape of its own.
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    # Halves of a character, which UTF-8 can't hold.
    "\ud800-\udfff]"
)
"""Characters that nobody sees, or that change how the text around them is shown."""


def visible(text: str) -> str:
    r"""The text with hidden characters as escapes, a NUL as `\x00`. Other characters stay as they are."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The records, with such text in each of their cells.

    Texts are Python's strings. In Arrow's arrays each is an object that is made anew whenever it is read, and each
    column is copied by itself whenever rows are taken, which the answer does for every regime.
    """
    texts = {
        name: [visible(value) if isinstance(value, str) else value for value in frame[name]]
        for name in frame.columns
        if not pd.api.types.is_numeric_dtype(frame[name])
    }
    return frame.assign(**{name: pd.Series(values, frame.index, object) for name, values in texts.items()}).copy()
