"""What the native methods can't do, said once."""

from __future__ import annotations

from harness.case import Case

REVERSIBLE = "reversible-heun"


def whole_observations(case: Case) -> str | None:
    """Save times must lie on the grid of steps."""
    if case.steps % case.observations:
        return f"{case.observations} observations don't divide {case.steps} steps"
    return None
