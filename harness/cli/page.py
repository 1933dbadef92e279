"""After a run: its page, and the exit code. A page that can't be written costs no record."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from harness import session
from harness.cli.terminal import place, tell
from harness.errors import described
from harness.session import Executed


def write_page(executed: Executed, folder: Path, console: Console) -> bool:
    """Write the page and say where it is, or why there is none and how to have it later. Return whether it is there."""
    try:
        page = session.report(executed, folder)
    except Exception as error:
        reason = " ".join(described(error).split())
        run = place(executed.run.folder)
        tell(console, f"The page can't be written: {reason}. The records are kept: python -m harness report {run}")
        return False
    tell(console, f"The page: {place(page)}")
    return True


def exit_code(executed: Executed, has_page: bool) -> int:
    """130 after an interrupt; 1 where a case failed or there is no page; else 0."""
    if executed.interrupted:
        return 130
    return int(executed.failed or not has_page)
