"""Whether a change is real: its interval against a threshold below which a change doesn't matter in practice."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["worse", "better", "same", "unclear"]
WORSE: Verdict = "worse"
BETTER: Verdict = "better"
SAME: Verdict = "same"
UNCLEAR: Verdict = "unclear"
"""The data cannot tell."""


def verdict(low: float, high: float, threshold: float) -> Verdict:
    """What the 95% interval of a ratio, after over before, says. More is worse.

    `worse` and `better` need an interval that lies beyond the threshold as a whole, `same` one that lies within it.
    The threshold t is a part of the value before: beyond are ratios above 1 + t and below 1 / (1 + t).
    """
    if math.isnan(low) or math.isnan(high):
        return UNCLEAR
    if low > 1 + threshold:
        return WORSE
    if high < 1 / (1 + threshold):
        return BETTER
    return SAME if low >= 1 / (1 + threshold) and high <= 1 + threshold else UNCLEAR
