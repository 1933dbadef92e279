"""Errors that a user can fix, as opposed to defects of the harness."""

from __future__ import annotations

import datetime
import difflib
import math
import reprlib
from collections.abc import Iterable

LONGEST_MESSAGE = 2000
"""In characters. The longest list of allowed names, the list of all methods, takes half of it."""
LONGEST_KEY = 200
LONGEST_VALUE = 60
"""The most characters of a given value that a message shows."""


class InputError(Exception):
    """A user's input is wrong. The command line prints the message in one line and exits with code 2.

    The message consists of `where` (the file or the option), `key` (the entry in it), `problem` (what was given) and
    `allowed` (what is allowed). `detail` has further lines, such as those of a user's own file that raised an error.
    """

    def __init__(self, where: object, key: str, problem: str, allowed: str = "", *, detail: str = "") -> None:
        self.detail = detail
        place = f"{_shorten(printable(key), LONGEST_KEY)}: " if key else ""
        message = printable(" ".join(f"{place}{problem}{'; ' + allowed if allowed else ''}".split()))
        super().__init__(f"{printable(str(where))}: {_shorten(message, LONGEST_MESSAGE)}")


class RecordingError(Exception):
    """A record can't be written. The records before it are kept. The command line prints it and exits with code 1."""


class WorkersLostError(Exception):
    """The machines that measure a run are gone. What they measured is kept. Exit code 1, as for a RecordingError."""


class UnsupportedError(Exception):
    """A method finds out that it can't do a case only when it is built. The case is recorded as `unsupported`."""


class ProblemError(Exception):
    """A problem or a method's gradient has a wrong form. The message says what was given and what is needed."""


def one_of(names: Iterable[str], given: object = None) -> str:
    """`allowed: a, b, c`, preceded by the nearest name if one is close."""
    choices = sorted(names)
    near = difflib.get_close_matches(str(given)[:LONGEST_VALUE], choices, n=1) if given is not None else []
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(choices)}"


def described(error: BaseException) -> str:
    """Its kind and its message, which is the code of whoever raised it and may raise itself."""
    try:
        message = str(error)
    except Exception as fault:
        message = f"reading its message raises {type(fault).__name__}"
    return f"{type(error).__name__}: {message}".removesuffix(": ")


def printable(text: str) -> str:
    """The text, with every character escaped that a terminal would interpret instead of showing."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """A value as Python writes it, in at most LONGEST_VALUE characters, however large it is."""
    return _shorten(printable(_VALUES.repr(value)), LONGEST_VALUE)


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


class _Values(reprlib.Repr):
    """Shortens long and deep values."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = LONGEST_VALUE

    def repr_int(self, x: int, level: int) -> str:
        """Python writes no integers of more than 4300 digits."""
        digits = int((x.bit_length() - 1) * math.log10(2)) + 1
        return super().repr_int(x, level) if digits < LONGEST_VALUE else f"an integer of about {digits} digits"

    def repr_date(self, x: datetime.date, level: int) -> str:  # noqa: ARG002 - reprlib's interface
        """What YAML makes of 2020-01-31 without quotes."""
        return f"the date {x}"

    repr_datetime = repr_date

    def repr_instance(self, x: object, level: int) -> str:  # noqa: ARG002 - reprlib's interface
        """All other kinds. How a plugin's object is written is the plugin's code."""
        try:
            return _shorten(repr(x), self.maxother)
        except Exception:
            return f"an object of {type(x).__name__}"


_VALUES = _Values()
