"""`harness export`: the records of a run as a file for other programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.columns import FACTS
from harness.errors import InputError, one_of
from harness.lazy import lazily
from harness.spreadsheet import write_csv
from harness.store import open_run

if TYPE_CHECKING:
    import pandas as pd

    from harness import frames
else:
    (frames,) = lazily("harness.frames")

FORMATS = ("csv", "parquet")


def export(
    run: Annotated[
        Path, typer.Argument(help="A run's folder, or the name of a suite: its newest run.", show_default=False)
    ],
    as_format: Annotated[str, typer.Option("--format", metavar="csv|parquet", help="The kind of file.")] = "csv",
    to: Annotated[Path | None, typer.Option("--to", help="The file to write. CSV is printed without it.")] = None,
) -> None:
    """Write the records of a run, a row each, as CSV or Parquet."""
    if as_format not in FORMATS:
        raise InputError("--format", "", f"given {as_format!r}", one_of(FORMATS, as_format))
    if as_format == "parquet" and to is None:
        raise InputError("--to", "", "is required for Parquet", "give a file: --to records.parquet")
    frame = frames.load(open_run(run).folder).drop(columns=FACTS.name)
    try:
        if as_format == "parquet":
            assert to is not None
            frame.to_parquet(to, engine="pyarrow", index=False)
        else:
            write_csv(_flat(frame), sys.stdout if to is None else to)
    except ImportError as error:
        raise InputError(
            "--format", "", "Parquet needs pyarrow, which is not installed", "pip install 'gradient-harness[parquet]'"
        ) from error
    except OSError as error:
        raise InputError("--to", "", f"{to} can't be written: {error.strerror or error}") from error


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Lists as JSON, which a cell of CSV can hold."""
    lists = [name for name in frame if frame[name].map(lambda value: isinstance(value, list)).any()]
    return frame.assign(**{str(name): frame[name].map(json.dumps) for name in lists})
