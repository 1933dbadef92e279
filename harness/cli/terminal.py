"""Printing. Names, titles and reasons come from users: they are shown as they are written and never interpreted.

`[red]` in a title is not markup, and an escape character does not move the cursor. A character that the terminal's
encoding lacks is written as its code.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.errors import printable


def say(text: str = "") -> None:
    """Print lines to standard output."""
    print("\n".join(map(printable, text.split("\n"))))


def tell(console: Console, text: str, style: str = "", rest: str = "") -> None:
    """Print a line to a console that may have a progress bar; `rest` follows the text without the style."""
    console.print(plain(text, style).append(plain(rest)), highlight=False, soft_wrap=True)


def place(path: Path) -> str:
    """A path as it is shown: relative to the current folder where it lies within."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def plain(text: str, style: str = "") -> Text:
    """Text for a console or a table."""
    return Text(printable(text), style)


def take_every_character() -> None:
    """Make standard output and error escape characters that their encoding lacks, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
