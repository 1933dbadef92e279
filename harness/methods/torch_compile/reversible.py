"""Reversible Heun's exact O(1)-memory gradient, in compiled chunks, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import Gradient
from harness.methods._support import REVERSIBLE
from harness.methods.torch_compile._support import AbstractCompiled
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


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

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Run once, which compiles."""
        from harness.methods.torch_compile._chunks import ChunkedSolve, compiled
        from harness.methods.torch_compile._reversible_heun import reversible_heun_gradient

        solve = ChunkedSolve(problem, scheme, case, path)
        return compiled(solve, reversible_heun_gradient(solve))
