"""A run is measured by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
from pathlib import Path
from typing import IO

from harness.errors import InputError
from harness.written import no_link

NAME = ".lock"
"""The file in a run's folder that is locked. It stays, because only the lock on it counts."""


class Lock:
    """Held until `release`, or until the process ends, however it ends: the kernel keeps it. So none is ever stale.

    On a file system without locks it locks nothing.
    """

    def __init__(self, folder: Path) -> None:
        """Raises InputError where another process holds it, or where the folder can't be written."""
        try:
            self._file: IO[str] = open(folder / NAME, "a+", encoding="utf-8", opener=no_link)  # noqa: SIM115 - held
        except OSError as error:
            raise InputError(folder, "", f"can't be written: {error.strerror or error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                return
            self._file.seek(0)
            holder = self._file.read(200)
            self._file.close()
            raise InputError(
                folder,
                "",
                f"is being measured by another process ({holder.strip() or 'unknown'})",
                "wait until it ends, or leave out --resume for a new run",
            ) from error
        self._note_holder()

    def _note_holder(self) -> None:
        """For the message to whoever comes next. Nothing depends on it, so that a full disk is no error."""
        try:
            os.ftruncate(self._file.fileno(), 0)
            os.write(self._file.fileno(), f"process {os.getpid()} on {platform.node()}".encode())
        except OSError:
            pass

    def release(self) -> None:
        """Let others measure the run."""
        self._file.close()
