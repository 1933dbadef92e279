"""What the compiled methods can't do, said once."""

from __future__ import annotations

from harness.case import Case
from harness.compiler import cannot_compile
from harness.methods._support import whole_observations


def refusal(case: Case) -> str | None:
    """Observations lie on the grid, and there is something to compile with."""
    return whole_observations(case) or cannot_compile()
