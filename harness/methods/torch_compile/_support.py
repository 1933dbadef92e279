"""What the compiled methods have in common."""

from __future__ import annotations

from harness.case import Case
from harness.compiler import cannot_compile
from harness.method import AbstractGradientMethod


class AbstractCompiled(AbstractGradientMethod):
    """A PyTorch method whose steps torch.compile makes, for every scheme, where there is something to compile with."""

    framework = "torch"

    def unsupported(self, case: Case) -> str | None:
        """It needs a C++ compiler."""
        return cannot_compile()
