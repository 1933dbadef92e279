"""The symplectic adjoint of Runge–Kutta schemes for ODEs, PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.case import Case
from harness.lazy import lazily
from harness.methods._symplectic import no_tableau, not_an_ode, stage_cotangent, stage_state
from harness.methods.torch._method import AbstractTorchMethod
from harness.scheme import AbstractScheme
from harness.schemes._runge_kutta import AbstractRungeKutta

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.methods.torch import _differentiable, _vjp
    from harness.methods.torch._solve import TorchSolve
else:
    torch, _differentiable, _vjp = lazily(
        "torch",
        "harness.methods.torch._differentiable",
        "harness.methods.torch._vjp",
    )


class SymplecticAdjoint(AbstractTorchMethod):
    """Solve the adjoint ODE by the tableau that is symplectic together with the forward one: exact, a stage at a time.

    Matsubara, Miyatake & Yaguchi, "Symplectic adjoint method for exact gradient of neural ODE with minimal memory",
    NeurIPS 2021 (arXiv 2102.09750); Sanz-Serna, SIAM Review 58 (2016), for why it is exact. The state of every step is
    kept, a step's stages are recomputed, and the graph of one evaluation of f lives at a time: memory O(N + s) states.
    `docs/methods/symplectic-adjoint.md` has the formulas.
    """

    name = "torch/symplectic-adjoint"
    summary = "adjoint by the symplectic partner of a Runge–Kutta scheme: exact, one stage's graph at a time; ODEs"
    default_schemes = ("rk4", "heun", "euler", "midpoint")
    step_seconds = 4.5e-4

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """Explicit Runge–Kutta schemes only."""
        return no_tableau(scheme)

    def unsupported(self, case: Case) -> str | None:
        """ODEs only."""
        return not_an_ode(case)

    def differentiable(self, solve: TorchSolve) -> _differentiable.AbstractDifferentiableSolve:
        """The adjoint equation by the scheme that makes it exact, along the states that were kept."""
        tableau = solve.scheme
        assert isinstance(tableau, AbstractRungeKutta)
        terms, stages = solve.terms, len(tableau.b)
        vjp, add, no_grad = _vjp.vjp, torch._foreach_add_, torch.no_grad

        def forward() -> tuple[list[Tensor], list[Tensor]]:
            states = [solve.y0.detach()]
            for n in range(solve.steps):
                states.extend(solve.step(n, (states[-1],)))
            return [states[n] for n in solve.grid.observed], states

        def backward(states: list[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            theta, adjoint = solve.zeros_theta(), torch.zeros_like(solve.y0)
            states.pop()
            for n in reversed(range(solve.steps)):
                k = solve.observation(n + 1)
                if k is not None:
                    adjoint = adjoint + cotangents[k]
                adjoint = step(n, states.pop(), adjoint, theta)
            return adjoint, theta

        def step(n: int, y0: Tensor, adjoint: Tensor, theta: list[Tensor]) -> Tensor:
            """λ before step n from λ after it; `theta` is added to in place."""
            dt = solve.dt(n)
            times = [solve.time(n) + c * dt for c in tableau.c]
            points: list[Tensor] = []
            increments: list[Tensor] = []
            with no_grad():
                for i in range(stages):
                    points.append(stage_state(tableau, i, y0, increments))
                    if i < stages - 1:
                        increments.append(terms.increment(times[i], points[i], dt, None))
            del increments
            later: dict[int, Tensor] = {}
            for i in reversed(range(stages)):
                y = points.pop().detach().requires_grad_()
                cotangent = stage_cotangent(tableau, i, adjoint, later)
                if cotangent is not None:
                    increment = terms.increment(times[i], y, dt, None)
                    wanted = [y, *solve.parameters]
                    later[i], *products = vjp((increment,), wanted, (cotangent,))
                    add(theta, products)
            return adjoint + sum(later.values())

        return _differentiable.Sweep(solve, forward, backward)
