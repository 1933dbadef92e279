"""Why cases have no numbers."""

from __future__ import annotations

import pandas as pd

from harness.grouping import MACHINE


def reasons(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a status, method, scheme, reason and machine, with the number of its `cases`."""
    by = ["status", "method", "scheme", "reason", MACHINE]
    return frame.groupby(by, sort=True).size().reset_index(name="cases")
