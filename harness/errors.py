"""Errors that are a person's to mend, told apart from defects of the harness."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """What a person gave is wrong. The command line prints it as one line and exits with code 2.

    `where` names the file or the option, `key` the entry in it; `given` and `allowed` complete the sentence.
    """

    def __init__(self, where: object, key: str, problem: str, allowed: str = "") -> None:
        place = f"{where}: {key}" if key else f"{where}"
        super().__init__(" ".join(f"{place}: {problem}{'; ' + allowed if allowed else ''}".split()))


class UnsupportedError(Exception):
    """A method can't do a case, and only found out while building it. Recorded as `unsupported`."""


class ProblemError(Exception):
    """A problem, or a method's gradient, has a wrong form: what was given and what is needed, in a sentence."""


def one_of(names: Iterable[str], given: object = None) -> str:
    """`allowed: a, b, c`, led by the nearest name where one is near."""
    choices = sorted(names)
    near = difflib.get_close_matches(str(given), choices, n=1) if given is not None else []
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(choices)}"
