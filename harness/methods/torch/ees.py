"""Effectively symmetric schemes, reversed by a step back, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import not_effectively_symmetric
from harness.methods.torch._method import AbstractTorchMethod
from harness.scheme import AbstractScheme, State, backward_noise, increment_of

if TYPE_CHECKING:
    from torch import Tensor

    from harness.methods.torch import _reconstruct
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch._solve import TorchSolve
else:
    (_reconstruct,) = lazily("harness.methods.torch._reconstruct")


class EffectivelySymmetric(AbstractTorchMethod):
    """Step an EES scheme back with −h and −dW, and backpropagate each step from the state so recovered.

    Shmelev et al. 2025 (arXiv 2507.21006). Memory O(1). The step back misses the state by O(h⁶) or O(h⁸) for an ODE,
    O(h³) or O(h⁴) for an SDE: the gradient is nearly that of the discrete solve where h is small, and wrong where not.
    """

    name = "torch/ees"
    summary = "an effectively symmetric scheme, reversed by a step back: nearly exact in O(1) memory"
    exact = False
    default_schemes = ("ees25", "ees27")
    step_seconds = 4e-4

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """Effectively symmetric schemes only."""
        return not_effectively_symmetric(scheme)

    def differentiable(self, solve: TorchSolve) -> AbstractDifferentiableSolve:
        """The scheme's own step back, which undoes a step but for an error of high order."""

        def reverse(n: int, state: State[Tensor]) -> State[Tensor]:
            noise = backward_noise(increment_of(solve.noise[n]))
            return solve.scheme.step(solve.terms, solve.time(n + 1), -solve.dt(n), state, noise)

        return _reconstruct.by_reconstruction(solve, reverse)
