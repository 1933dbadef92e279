"""Reversible Heun's exact O(1)-memory gradient, in compiled chunks, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods.torch_compile._support import AbstractCompiled
from harness.scheme import AbstractScheme
from harness.schemes.reversible_heun import ReversibleHeun

if TYPE_CHECKING:
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch_compile import _reversible_heun
    from harness.methods.torch_compile._chunks import ChunkedSolve
else:
    (_reversible_heun,) = lazily("harness.methods.torch_compile._reversible_heun")


class Reversible(AbstractCompiled):
    """As `torch/reversible` for reversible Heun, chunks of its sweep being compiled, forwards and backwards.

    The backward recursion is that of Kidger et al. 2021 (arXiv 2105.13493, algorithms 1 and 2) with one evaluation of
    f and g a step, as `docs/methods/reversible.md` has it. Exact up to rounding, memory O(1) in the steps.
    """

    name = "torch-compile/reversible"
    summary = "reversible Heun reconstructed backwards, both sweeps compiled in chunks by torch.compile"
    default_schemes = ("reversible-heun",)
    step_seconds = 1.2e-4

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """Reversible Heun only."""
        if isinstance(scheme, ReversibleHeun):
            return None
        return f"torch-compile/reversible has reversible-heun's own backward sweep only, none for {scheme.name}"

    def differentiable(self, solve: ChunkedSolve) -> AbstractDifferentiableSolve:
        """Its own sweep back, a chunk at a time."""
        return _reversible_heun.reversible_heun(solve)
