"""What the compiled methods have in common."""

from __future__ import annotations

from harness.case import Case
from harness.compiler import cannot_compile
from harness.method import AbstractGradientMethod
from harness.methods._support import whole_observations


class AbstractCompiled(AbstractGradientMethod):
    """A PyTorch method whose steps torch.compile makes, for every scheme, where there is something to compile with."""

    framework = "torch"

    def unsupported(self, case: Case) -> str | None:
        """Observations lie on the grid, and there is a C++ compiler."""
        return whole_observations(case) or cannot_compile()
