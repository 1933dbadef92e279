"""The store: a folder a run, a line a record, written the moment it is known."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from harness.errors import InputError
from harness.lazy import lazily
from harness.record import SCHEMA_VERSION, Record, Row

if TYPE_CHECKING:
    import pandas as pd

    from harness import frames
else:
    (frames,) = lazily("harness.frames")  # pandas, and this module, which it imports

RECORDS = "records.jsonl"
ABOUT = "run.json"
About: TypeAlias = dict[str, Any]
"""What `run.json` holds, or an entry of its `executions`: JSON values by their keys."""


@dataclass(frozen=True)
class Run:
    """The folder of one run: `run.json` (what it is and where it was executed) and `records.jsonl`."""

    folder: Path

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    def about(self) -> About:
        """`run.json`: schema_version, suite, and one entry an execution (a run that was resumed has several)."""
        try:
            return json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise InputError(self.folder, "", f"isn't a run: its {ABOUT} can't be read ({error})") from error

    def add_execution(self, suite: str, execution: Mapping[str, object]) -> int:
        """Note that the suite is executed, here and now; return the execution's index, which its records carry.

        The file is replaced as a whole, never half written.
        """
        path = self.folder / ABOUT
        about: About = (
            self.about() if path.exists() else {"schema_version": SCHEMA_VERSION, "suite": suite, "executions": []}
        )
        about["executions"].append(execution)
        temporary = path.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(about, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        return len(about["executions"]) - 1

    def append(self, record: Record) -> None:
        """Write one record and see it to the disk. A torn last line, left by a kill, is cut off first."""
        with (self.folder / RECORDS).open("ab+") as file:
            _cut_torn_line(file)
            file.write(record.to_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def rows(self) -> list[Row]:
        """The newest record of each case, in the order in which the cases were first recorded. See `history`."""
        return list({row["case"]: row for row in self.history()}.values())

    def history(self) -> list[Row]:
        """All records, in the order in which they were written, as the current schema has them.

        A torn last line is dropped. Raises InputError where another line is damaged.
        """
        path = self.folder / RECORDS
        if not path.exists():
            return []
        lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last newline is torn, or nothing
        rows: list[Row] = []
        for number, line in enumerate(lines, start=1):
            try:
                row: Row = json.loads(line)
            except ValueError as error:
                raise InputError(
                    path,
                    f"line {number}",
                    "isn't a record",
                    "remove the line; its case is then measured again by --resume",
                ) from error
            version = row.get("schema_version")
            if version not in READERS:
                allowed = " and ".join(map(str, READERS))
                raise InputError(
                    path,
                    f"line {number}",
                    f"has schema {version!r}",
                    f"this version of the harness reads {allowed}",
                )
            rows.append(READERS[version](row))
        return rows

    def frame(self) -> pd.DataFrame:
        """The records with computed columns, a row a case: `harness.load` of the folder."""
        return frames.load(self.folder)


def _from_version_2(row: Row) -> Row:
    """Version 2 wrote a record when all of it was known, and timed a block in one group."""
    return {**row, "pending": [], "anchor_seconds": []}


def _from_version_1(row: Row) -> Row:
    """Version 1 didn't record the host, nor which execution measured a case."""
    return {**_from_version_2(row), "execution": None, "host": None}


READERS: dict[int, Callable[[Row], Row]] = {1: _from_version_1, 2: _from_version_2, SCHEMA_VERSION: lambda row: row}
"""What makes a stored record of each version of the schema one of the current version."""


def _cut_torn_line(file: IO[bytes]) -> None:
    file.seek(0, os.SEEK_END)
    end = file.tell()
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    file.truncate(end)
    file.seek(end)


def new_run(results: Path, suite: str, now: datetime | None = None) -> Run:
    """A new folder `results/<suite>/<time>`, in UTC."""
    stamp = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H-%M-%SZ")
    for suffix in ("", *(f"-{n}" for n in range(2, 1000))):
        folder = results / suite / f"{stamp}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(results, "--results", f"can't be written: {error.strerror}") from error
        return Run(folder)
    raise InputError(results, "--results", "1,000 runs were started in one second", "wait a second")


def newest_run(results: Path, suite: str) -> Run | None:
    """The suite's newest run, by the time in its name."""
    folders = sorted(path.parent for path in (results / suite).glob(f"*/{ABOUT}"))
    return Run(folders[-1]) if folders else None


def open_run(path: Path, results: Path = Path("results")) -> Run:
    """The run that a person names: its folder or a file of it, a suite's folder or a suite's name.

    A suite stands for its newest run; its name is looked up in `results`. Raises InputError where there is none.
    """
    folder = path.parent if path.name in (RECORDS, ABOUT) else path
    if (folder / ABOUT).is_file():
        return Run(folder)
    for suite in (path, results / path):
        newest = newest_run(suite.parent, suite.name)
        if newest is not None:
            return newest
    allowed = "give a run's folder, results/<suite>/<run>, or the name of a suite that was measured here"
    raise InputError(path, "", f"no run is here: there is no {ABOUT}", allowed)
