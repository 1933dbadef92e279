"""Why cases have no numbers."""

from __future__ import annotations

import pandas as pd


def reasons(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a status, method, scheme and reason, with the number of its `cases`."""
    return frame.groupby(["status", "method", "scheme", "reason"], sort=True).size().reset_index(name="cases")
