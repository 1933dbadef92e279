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
from harness.listener import Listener

COLORS = {"ok": "green", "unsupported": "dim"}


TIMED = 0.7
"""The part of a case's time that has passed once it is built and timed, where memory or errors follow."""


class Pace:
    """The estimated time left, corrected by how well the estimate has fitted so far.

    `expected` has the estimated seconds of each case. Cases of a block are built and timed together, and finished one
    by one.
    """

    def __init__(self, expected: Mapping[Case, float]) -> None:
        self._expected = expected
        self._total = sum(expected.values())
        self._parts: dict[Case, float] = {}
        self._done = 0.0
        self._start = self._last = time.monotonic()

    def reached(self, case: Case, part: float) -> None:
        """So much of a case is done, 1 where it is finished."""
        self._done += self._expected.get(case, 0.0) * (part - self._parts.get(case, 0.0))
        self._parts[case] = part
        self._last = time.monotonic()

    def left_seconds(self) -> float:
        """The time left: what isn't done, at the pace at which the rest was done until it was last heard of."""
        # The estimate counts like 10 measured seconds, so the first case changes it little.
        factor = (self._last - self._start + 10) / (self._done + 10)
        since = time.monotonic() - self._last
        return max(0.0, (self._total - self._done) * factor - since)

    def left(self) -> str:
        """The time left, in words."""
        seconds = self.left_seconds()
        return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"


class _TimeLeft(ProgressColumn):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:
        """The time left, or nothing once the task is finished."""
        return Text("" if task.finished else f"about {self._pace.left()}")


class _Bar:
    def __init__(self, progress: Progress, total: int, pace: Pace) -> None:
        self._progress, self._pace = progress, pace
        self._task = progress.add_task("", total=total)

    def doing(self, what: str) -> None:
        self._progress.update(self._task, description=printable(what))

    def note(self, what: str) -> None:
        tell(self._progress.console, what)

    def timed(self, case: Case) -> None:
        self._pace.reached(case, TIMED)

    def done(self, case: Case, status: str) -> None:
        self._pace.reached(case, 1.0)
        self._progress.advance(self._task)
        if status not in COLORS:
            tell(self._progress.console, status, "red", f" {case.label}")


class _Lines:
    def __init__(self, console: Console, total: int, pace: Pace) -> None:
        self._console, self._total, self._pace, self._count = console, total, pace, 0

    def doing(self, what: str) -> None:
        del what

    def note(self, what: str) -> None:
        tell(self._console, what)

    def timed(self, case: Case) -> None:
        self._pace.reached(case, TIMED)

    def done(self, case: Case, status: str) -> None:
        self._count += 1
        self._pace.reached(case, 1.0)
        if status != "unsupported":
            line = f"[{self._count}/{self._total}] {status} {case.label} (about {self._pace.left()})"
            tell(self._console, line)


@contextmanager
def make_listener(console: Console, expected: Mapping[Case, float], total: int) -> Generator[Listener, None, None]:
    """The display for a console. `total` counts all cases; `expected` has the seconds of those to be measured."""
    pace = Pace(expected)
    if not console.is_terminal:
        yield _Lines(console, total, pace)
        return
    columns = (
        BarColumn(20),
        MofNCompleteColumn(),
        _TimeLeft(pace),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress, total, pace)
