"""What is printed. Names, titles and reasons are people's own: they are shown as they are written, never obeyed.

`[red]` in a title is no markup, and an escape character moves no cursor. A character that the terminal's encoding lacks
is written as its code.
"""

from __future__ import annotations

import io
import sys

from rich.console import Console
from rich.text import Text

from harness.errors import printable


def say(text: str = "") -> None:
    """Print lines to standard output."""
    print("\n".join(map(printable, text.split("\n"))))


def tell(console: Console, text: str, style: str = "", rest: str = "") -> None:
    """Print a line to a console, beside its progress bar; `rest` follows the text without the style."""
    console.print(plain(text, style).append(plain(rest)), highlight=False, soft_wrap=True)


def plain(text: str, style: str = "") -> Text:
    """Text for a console or a table."""
    return Text(printable(text), style)


def take_every_character() -> None:
    """Standard output and error escape what their encoding lacks, where they would raise an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
