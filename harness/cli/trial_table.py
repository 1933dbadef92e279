"""The table of `harness try`: one row per case, grouped by steps, the fastest first."""

from __future__ import annotations

import pandas as pd

from harness.cli.show import print_table
from harness.columns import COLUMNS
from harness.report.format import FORMATS
from harness.report.tables import dicts

SHOWN = ("seconds_median", "peak_bytes", "gradient_error_theta_median", "adjoint_error_theta_median")


def print_table_of(frame: pd.DataFrame) -> None:
    """Print the cases that were measured. A column without any measured value is left out."""
    measured = frame[frame["status"].isin(["ok", "unstable"])].sort_values(
        ["problem", "stepping", "steps", "rtol", "seconds_median"], ascending=[True, False, True, False, True]
    )
    columns = [COLUMNS[name] for name in SHOWN if measured[name].notna().any()]
    several = measured["problem"].nunique() > 1
    rows = [
        (
            *([row["problem"]] if several else []),
            str(row["steps"]) if row["stepping"] == "fixed" else f"rtol {row['rtol']:g}",
            row["method"],
            row["scheme"],
            *(FORMATS[column.format](row[column.name]) for column in columns),
        )
        for row in dicts(measured)
    ]
    headings = (*(["model"] if several else []), "steps", "method", "scheme", *(str(c.heading) for c in columns))
    print_table(headings, rows)
