"""The store: a folder a run, a line a record, written the moment it is known."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from harness.about import check_about
from harness.damage import DamageError, read_json, read_record
from harness.errors import InputError, RecordingError, printable
from harness.lazy import lazily
from harness.lock import Lock
from harness.record import SCHEMA_VERSION, Record, Row
from harness.written import no_link, write_bytes, write_text

if TYPE_CHECKING:
    import pandas as pd

    from harness import frames
else:
    (frames,) = lazily("harness.frames")  # pandas, and this module, which it imports

RECORDS = "records.jsonl"
ABOUT = "run.json"
DAMAGED = "damaged.jsonl"
"""Where `Run.repair` keeps the lines of records that can't be read."""
RESTORE = "restore it from a copy"
About: TypeAlias = dict[str, Any]
"""What `run.json` holds, or an entry of its `executions`: JSON values by their keys."""


@dataclass(frozen=True)
class Run:
    """A run: its `folder` has `records.jsonl`, the measurements, and `run.json`, the suite and the environment."""

    folder: Path

    @property
    def id(self) -> str:
        """The name of the folder."""
        return self.folder.name

    def about(self) -> About:
        """The content of `run.json`: `schema_version`, `suite`, and `executions` with one entry for each execution.

        A resumed run has several executions. Raises InputError if the file can't be read or is damaged.
        """
        path = self.folder / ABOUT
        try:
            about: About = read_json(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(self.folder, "", f"isn't a run: its {ABOUT} can't be read ({error})", RESTORE) from error
        try:
            check_about(about, READERS)
        except DamageError as error:
            raise InputError(path, "", str(error), "" if error.newer else RESTORE) from error
        return about

    def add_execution(self, suite: str, execution: Mapping[str, object]) -> int:
        """Add an entry to `executions` in `run.json`; return its index, which the records of the execution name.

        The file is replaced as a whole, never half written. Raises InputError if it can't be written.
        """
        path = self.folder / ABOUT
        about: About = (
            self.about() if path.exists() else {"schema_version": SCHEMA_VERSION, "suite": suite, "executions": []}
        )
        about["executions"].append(execution)
        try:
            write_text(path, json.dumps(about, indent=1))
        except OSError as error:
            raise InputError(path, "", f"can't be written: {error.strerror or error}") from error
        return len(about["executions"]) - 1

    def append(self, record: Record) -> None:
        """Write one record and flush it to the disk. An incomplete last line, which a kill may leave, is cut off first.

        Raises RecordingError if it can't be written; part of it may then stand as an incomplete last line.
        """
        try:
            with open(self.folder / RECORDS, "ab+", opener=no_link) as file:
                _cut_torn_line(file)
                file.write(record.to_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except FileNotFoundError as error:
            gone = f"{printable(str(self.folder))} is gone while the run is measured"
            raise RecordingError(f"{gone}; put it back, then go on with --resume") from error
        except OSError as error:
            what = f"a record can't be written: {error.strerror or error}"
            kept = "the records before it are kept; mend this, then go on with --resume"
            raise RecordingError(f"{printable(str(self.folder / RECORDS))}: {what}; {kept}") from error

    def rows(self) -> list[Row]:
        """The newest record of each case, in the order in which the cases were first recorded."""
        return list({row["case"]: row for row in self.history()}.values())

    def history(self) -> list[Row]:
        """All records in the order in which they were written, converted to the current version of the schema.

        An incomplete last line is dropped. Raises InputError if another line is damaged.
        """
        rows: list[Row] = []
        for number, line in enumerate(self._lines(), start=1):
            try:
                rows.append(read_record(line, READERS))
            except DamageError as error:
                repair = "" if error.newer else f"`harness show {self.folder} --repair` sets damaged lines aside"
                raise InputError(self.folder / RECORDS, f"line {number}", str(error), repair) from error
        return rows

    def repair(self) -> int:
        """Move the damaged lines of the records to `damaged.jsonl`; return their number.

        Raises InputError if another process measures the run, if a newer version of the harness wrote a line, or if a
        file can't be written.
        """
        lock = Lock(self.folder)
        try:
            whole: list[bytes] = []
            damaged: list[bytes] = []
            for line in self._lines():
                (damaged if self._is_damaged(line) else whole).append(line + b"\n")
            if damaged:
                with open(self.folder / DAMAGED, "ab", opener=no_link) as file:
                    file.writelines(damaged)
                write_bytes(self.folder / RECORDS, b"".join(whole))
        except OSError as error:
            raise InputError(self.folder, "", f"can't be written: {error.strerror or error}") from error
        finally:
            lock.release()
        return len(damaged)

    def _is_damaged(self, line: bytes) -> bool:
        try:
            read_record(line, READERS)
        except DamageError as error:
            if error.newer:
                raise InputError(self.folder / RECORDS, "", f"a line {error}") from error
            return True
        return False

    def _lines(self) -> list[bytes]:
        """The lines of the records. What follows the last newline is torn, or nothing."""
        path = self.folder / RECORDS
        try:
            if path.exists() and not path.is_file():  # a pipe would never end
                raise InputError(path, "", "can't be read: it is no file")
            return path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        except OSError as error:
            raise InputError(path, "", f"can't be read: {error.strerror or error}") from error

    def frame(self) -> pd.DataFrame:
        """The records with computed columns, one row per case: the same as `harness.load` of the folder."""
        return frames.load(self.folder)


def measuring_execution(row: Row, executions: int) -> int | None:
    """The index of the execution of a run that measured a record; None where the first version wrote it.

    Raises InputError where the run has no such execution.
    """
    execution: int | None = row["execution"]
    if execution is not None and execution >= executions:
        fault = f"a record of {row['method']} names execution {execution}, and {ABOUT} has {executions}"
        raise InputError(row["run"], "", fault, RESTORE)
    return execution


def _from_version_4(row: Row) -> Row:
    """Version 4 multiplied in full precision alone, which is the default of an axis that a record lacks."""
    return row


def _from_version_3(row: Row) -> Row:
    """Version 3 didn't record whether samples were disturbed, nor how fast the machine was."""
    return {**_from_version_4(row), "waits": [], "calibration_seconds": []}


def _from_version_2(row: Row) -> Row:
    """Version 2 wrote a record when all of it was known, and timed a block in one group."""
    return {**_from_version_3(row), "pending": [], "anchor_seconds": []}


def _from_version_1(row: Row) -> Row:
    """Version 1 didn't record the host, nor which execution measured a case."""
    return {**_from_version_2(row), "execution": None, "host": None}


PUBLISHED = "published"
"""The folder in `results` of the runs that come with the project."""
READERS: dict[int, Callable[[Row], Row]] = {
    1: _from_version_1,
    2: _from_version_2,
    3: _from_version_3,
    4: _from_version_4,
    SCHEMA_VERSION: lambda row: row,
}
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
    folders = sorted(path.parent for path in (results / suite).glob(f"*/{ABOUT}") if path.is_file())
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
    if newest_run(results / PUBLISHED, path.name) is not None:
        allowed += f"; {PUBLISHED}/{path.name} is the one that comes with the project"
    raise InputError(path, "", f"no run is here: there is no {ABOUT}", allowed)
