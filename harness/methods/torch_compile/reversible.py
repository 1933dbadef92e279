"""Reversible Heun's exact O(1)-memory gradient, in compiled chunks, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.case import Case
from harness.methods._support import REVERSIBLE
from harness.methods.torch_compile._support import AbstractCompiled

if TYPE_CHECKING:
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch_compile._chunks import ChunkedSolve


class Reversible(AbstractCompiled):
    """As `torch/reversible` for reversible Heun, chunks of its sweep being compiled, forwards and backwards.

    The backward recursion is that of Kidger et al. 2021 (arXiv 2105.13493, algorithms 1 and 2) with one evaluation of
    f and g a step, as `docs/methods/reversible.md` has it. Exact up to rounding, memory O(1) in the steps.
    """

    name = "torch-compile/reversible"
    summary = "reversible Heun reconstructed backwards, both sweeps compiled in chunks by torch.compile"
    default_schemes = (REVERSIBLE,)
    step_seconds = 1.5e-4

    def unsupported(self, case: Case) -> str | None:
        """Reversible Heun only, where there is a C++ compiler."""
        if case.scheme != REVERSIBLE:
            return f"what is compiled is {REVERSIBLE}'s own backward sweep, not that of {case.scheme}"
        return super().unsupported(case)

    def differentiable(self, solve: ChunkedSolve) -> AbstractDifferentiableSolve:
        """Its own sweep back, a chunk at a time."""
        from harness.methods.torch_compile._reversible_heun import reversible_heun

        return reversible_heun(solve)
