"""What a model raised, as its author wants to see it: the lines of their own files, and the message."""

from __future__ import annotations

import itertools
import sys
import traceback
from pathlib import Path

import harness
from harness.errors import ProblemError, described, printable

OURS = str(Path(harness.__file__).parent)
LONGEST = 12
"""Lines of the author's own files that are shown, the innermost ones."""


def told(error: BaseException) -> tuple[str, str]:
    """The message in a line, and the author's lines beneath each other, the innermost last."""
    message = str(error) if isinstance(error, ProblemError) else described(error)
    return printable(" ".join(message.split())), "\n".join(_lines(error))


def _lines(error: BaseException) -> list[str]:
    if isinstance(error, SyntaxError):
        return [line.rstrip() for line in traceback.format_exception_only(error)]
    frames = [frame for frame in _frames(error) if is_an_authors(frame.filename)]
    once = [next(same) for _, same in itertools.groupby(frames, lambda frame: (frame.filename, frame.lineno))]
    return [
        line
        for frame in once[-LONGEST:]
        for line in (f"  {frame.filename}:{frame.lineno}, in {frame.name}", f"    {frame.line or ''}".rstrip())
    ]


def _frames(error: BaseException | None) -> list[traceback.FrameSummary]:
    """Those of an error; a sentence of ours may stand for what f raised, whose frames then follow."""
    if error is None:
        return []
    further = _frames(error.__cause__) if isinstance(error, ProblemError) else []
    return [*traceback.extract_tb(error.__traceback__), *further]


def is_an_authors(filename: str) -> bool:
    """Whether a file is neither ours nor an installed package's nor Python's."""
    path = str(Path(filename).resolve())
    installed = "site-packages" in path or path.startswith((OURS, sys.base_prefix + "/lib")) or filename.startswith("<")
    return not installed
