"""Two runs compared, case by case: what changed in time, memory and error, and whether a change is real."""

from harness.comparison.changes import Comparison, compare

__all__ = ["Comparison", "compare"]
