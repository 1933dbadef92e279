"""The exact O(1)-memory gradient of a reversible scheme, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import irreversible
from harness.methods.torch._method import AbstractTorchMethod
from harness.scheme import AbstractReversibleScheme, AbstractScheme, State
from harness.schemes.reversible_heun import ReversibleHeun

if TYPE_CHECKING:
    from torch import Tensor

    from harness.methods.torch import _reconstruct, _reversible_heun
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch._solve import TorchSolve
else:
    _reconstruct, _reversible_heun = lazily(
        "harness.methods.torch._reconstruct",
        "harness.methods.torch._reversible_heun",
    )


class Reversible(AbstractTorchMethod):
    """Step the scheme backwards algebraically and backpropagate each step as it is recovered.

    For every reversible scheme: exact up to rounding, memory O(1). A step back evaluates the scheme twice, once to
    reverse it and once for its vector–Jacobian product; reversible Heun has its own sweep with one evaluation of f and
    g a step (Kidger et al. 2021, arXiv 2105.13493, algorithms 1 and 2). `docs/methods/reversible.md` has the formulas.
    """

    name = "torch/reversible"
    summary = "a reversible scheme, reconstructed backwards: exact in O(1) memory"
    default_schemes = ("reversible-heun",)
    step_seconds = 2.7e-4

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """Reversible schemes only."""
        return irreversible(scheme)

    def differentiable(self, solve: TorchSolve) -> AbstractDifferentiableSolve:
        """Reversible Heun's own sweep, or the scheme stepped back."""
        scheme = solve.scheme
        if isinstance(scheme, ReversibleHeun):
            return _reversible_heun.reversible_heun(solve)
        assert isinstance(scheme, AbstractReversibleScheme)  # or it would have been refused

        def reverse(n: int, state: State[Tensor]) -> State[Tensor]:
            return scheme.reverse(solve.terms, solve.time(n + 1), solve.dt(n), state, solve.noise[n])

        return _reconstruct.by_reconstruction(solve, reverse)
