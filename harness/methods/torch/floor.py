"""The bare work of a gradient, PyTorch: a floor for the time of any method."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.methods.torch import _solve, _vjp
else:
    torch, _solve, _vjp = lazily("torch", "harness.methods.torch._solve", "harness.methods.torch._vjp")

TOGETHER = 16  # evaluations in one graph: a call of autograd.grad costs more than an evaluation


class Floor(AbstractGradientMethod):
    """As many evaluations of f and g and as many vector–Jacobian products as backprop needs, and one draw of the noise.

    No solver: every evaluation is at y0. Its gradient means nothing; it is summed so that nothing is left out.
    """

    name = "torch/floor"
    framework = "torch"
    summary = "the bare evaluations, products and noise; no solver (a floor, not a method)"
    baseline = True
    step_seconds = 1.3e-4

    def unsupported(self, case: Case) -> str | None:
        """It draws its own noise."""
        return "the floor draws its own noise" if case.brownian == "shared" else None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        solve = _solve.TorchSolve.of(problem, scheme, case, path)
        terms = solve.terms
        evaluations = scheme.work(problem.noise)
        together = max(1, TOGETHER // max(evaluations))  # steps
        joint = min(evaluations) if problem.noise != "none" else 0
        alone = [(function, count - joint) for function, count in zip((terms.f, terms.g), evaluations, strict=True)]
        shape = (case.batch, problem.noise_dim)
        with torch.no_grad():
            values = terms.f_and_g(solve.time(0), solve.y0)
        ones = {x.shape: torch.ones_like(x) for x in values if x is not None}

        def run() -> Gradient:
            total, theta = torch.zeros_like(solve.y0), solve.zeros_theta()
            for first in range(0, solve.steps, together):
                steps = range(first, min(first + together, solve.steps))
                if problem.noise_dim:
                    torch.randn((len(steps), *shape), dtype=solve.y0.dtype, device=solve.y0.device)
                outputs: list[Tensor | None] = []
                for n in steps:
                    for _ in range(joint):
                        outputs += terms.f_and_g(solve.time(n), solve.y0)
                    for function, count in alone:
                        outputs += [function(solve.time(n), solve.y0) for _ in range(count)]
                cotangents = [None if x is None else ones[x.shape] for x in outputs]
                found = _vjp.vjp(outputs, [solve.y0, *solve.parameters], cotangents)
                total.add_(found[0])
                torch._foreach_add_(theta, found[1:])
            return solve.gradient(total.sum(), total, theta)

        return solve.ready(run)
