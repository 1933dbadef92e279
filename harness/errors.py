"""Errors that are a person's to mend, told apart from defects of the harness."""

from __future__ import annotations

import difflib
import math
import reprlib
from collections.abc import Iterable

LONGEST_MESSAGE = 2000
"""Characters. The longest list of allowed names, that of all methods, takes half of it."""
LONGEST_KEY = 200
LONGEST_VALUE = 60
"""Characters in which a message shows what was given."""


class InputError(Exception):
    """What a person gave is wrong. The command line prints it as one line and exits with code 2.

    `where` names the file or the option, `key` the entry in it; `problem` and `allowed` complete the sentence. The
    message is one line of printable characters, at most LONGEST_MESSAGE of them after `where`. `detail` are further
    lines, such as those of a person's own file where their code raised.
    """

    def __init__(self, where: object, key: str, problem: str, allowed: str = "", *, detail: str = "") -> None:
        self.detail = detail
        place = f"{_shorten(printable(key), LONGEST_KEY)}: " if key else ""
        message = printable(" ".join(f"{place}{problem}{'; ' + allowed if allowed else ''}".split()))
        super().__init__(f"{printable(str(where))}: {_shorten(message, LONGEST_MESSAGE)}")


class UnsupportedError(Exception):
    """A method can't do a case, and only found out while building it. Recorded as `unsupported`."""


class ProblemError(Exception):
    """A problem, or a method's gradient, has a wrong form: what was given and what is needed, in a sentence."""


def one_of(names: Iterable[str], given: object = None) -> str:
    """`allowed: a, b, c`, led by the nearest name where one is near."""
    choices = sorted(names)
    near = difflib.get_close_matches(str(given)[:LONGEST_VALUE], choices, n=1) if given is not None else []
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(choices)}"


def printable(text: str) -> str:
    """The text with every character escaped that a terminal would obey instead of showing it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """A value as Python writes it, in at most LONGEST_VALUE characters, however large it is."""
    return _shorten(printable(_VALUES.repr(value)), LONGEST_VALUE)


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


class _Values(reprlib.Repr):
    """Stops early in what is long or deep."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = LONGEST_VALUE

    def repr_int(self, x: int, level: int) -> str:
        """Python writes no integers of more than 4300 digits."""
        digits = int((x.bit_length() - 1) * math.log10(2)) + 1
        return super().repr_int(x, level) if digits < LONGEST_VALUE else f"an integer of about {digits} digits"

    def repr_instance(self, x: object, level: int) -> str:  # noqa: ARG002 - reprlib's interface
        """All other kinds."""
        return _shorten(repr(x), self.maxother)


_VALUES = _Values()
