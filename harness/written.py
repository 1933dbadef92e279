"""Files that are written as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from harness.errors import InputError


def write_text(path: Path, text: str) -> None:
    """Replace a file by one with this text, in UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file by one with this content. Where that fails the old file stays as it was. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def no_link(path: str, flags: int) -> int:
    """An opener that follows no link in place of the file: what it names is changed nowhere else."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def refuse_unwritable(folder: Path, option: str) -> None:
    """Make a folder, unless it exists, and a file in it. Raises InputError where that can't be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError as error:
        raise InputError(option, "", f"{folder} is a file", "give a folder") from error
    except OSError as error:
        raise InputError(option, "", f"{folder} can't be written: {error.strerror or error}") from error


def _umask() -> int:
    """That of this process, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
