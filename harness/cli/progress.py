"""The progress display: a bar on a terminal, one line per case elsewhere."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from harness.case import Case
from harness.cli.terminal import tell
from harness.errors import printable
from harness.session import Listener

COLORS = {"ok": "green", "unsupported": "dim"}


class Pace:
    """The estimated time left, corrected by how well the estimate has fitted so far."""

    def __init__(self, total_seconds: float) -> None:
        self._total = total_seconds
        self._done = 0.0
        self._start = time.monotonic()

    def add(self, expected_seconds: float) -> None:
        """A case that was estimated at this many seconds is finished."""
        self._done += expected_seconds

    def left(self) -> str:
        """The time left, in words."""
        elapsed = time.monotonic() - self._start
        # The estimate counts like 20 measured seconds, so the first case changes it little.
        factor = (elapsed + 20) / (self._done + 20)
        seconds = max(0.0, (self._total - self._done) * factor)
        return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"


class _TimeLeft(ProgressColumn):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:
        """The time left, or nothing once the task is finished."""
        return Text("" if task.finished else f"about {self._pace.left()}")


class _Bar:
    def __init__(self, progress: Progress, total: int, pace: Pace, expected: Mapping[Case, float]) -> None:
        self._progress, self._pace, self._expected = progress, pace, expected
        self._task = progress.add_task("", total=total)

    def doing(self, what: str) -> None:
        self._progress.update(self._task, description=printable(what))

    def note(self, what: str) -> None:
        tell(self._progress.console, what)

    def done(self, case: Case, status: str) -> None:
        self._pace.add(self._expected.get(case, 0.0))
        self._progress.advance(self._task)
        if status not in COLORS:
            tell(self._progress.console, status, "red", f" {case.label}")


class _Lines:
    def __init__(self, console: Console, total: int, pace: Pace, expected: Mapping[Case, float]) -> None:
        self._console, self._total, self._pace, self._expected, self._count = console, total, pace, expected, 0

    def doing(self, what: str) -> None:
        del what

    def note(self, what: str) -> None:
        tell(self._console, what)

    def done(self, case: Case, status: str) -> None:
        self._count += 1
        self._pace.add(self._expected.get(case, 0.0))
        if status != "unsupported":
            line = f"[{self._count}/{self._total}] {status} {case.label} (about {self._pace.left()})"
            tell(self._console, line)


@contextmanager
def make_listener(console: Console, expected: Mapping[Case, float], total: int) -> Generator[Listener, None, None]:
    """The display for a console. `total` counts all cases; `expected` has the seconds of those to be measured."""
    pace = Pace(sum(expected.values()))
    if not console.is_terminal:
        yield _Lines(console, total, pace, expected)
        return
    columns = (
        BarColumn(20),
        MofNCompleteColumn(),
        _TimeLeft(pace),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress, total, pace, expected)
