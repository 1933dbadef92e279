"""A command as a user types it, in the test's own process: a new one takes seconds to import what is imported here."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.cli import main


@dataclass(frozen=True)
class Done:
    """The exit code of a command, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def command(folder: Path, *arguments: str) -> Done:
    """`python -m harness …` in a folder. What its children print isn't caught."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    argv, here = sys.argv, os.getcwd()
    sys.argv = ["harness", *arguments]
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = argv
        os.chdir(here)
    return Done(code, out.getvalue(), err.getvalue())
