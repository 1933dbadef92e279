"""torchsde's gradient methods (version 0.2; github.com/google-research/torchsde)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.grid import Grid
from harness.initial import initial_values
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._library import scheme_refusal
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

ITO = {"euler": "euler", "milstein": "milstein", "srk": "srk"}
STRATONOVICH = {"heun": "heun", "midpoint": "midpoint", "euler-heun": "euler_heun", "milstein": "milstein"}
FORWARD_AND_BACKWARD = ("heun", "midpoint", "euler-heun")
REVERSIBLE = {"reversible-heun": "reversible_heun"}


def _refusal(case: Case, solvers: Mapping[str, str]) -> str | None:
    if not isinstance(case.observations, int):
        return "torchsde steps by one dt and interpolates between its steps, so that it misses unequally spaced times"
    if case.noise == "none":
        return "torchsde solves SDEs, not ODEs"
    if case.scheme == "milstein" and case.noise == "general":
        return "torchsde's milstein is for additive, scalar and diagonal noise, not general"
    if case.scheme == "milstein" and case.noise == "scalar":
        # Its second-order term is a vector–Jacobian product (ForwardSDE.g_prod_and_gdg_prod_default, version 0.2.6).
        return (
            "torchsde's milstein transposes ∂g/∂y, which does no harm to diagonal noise but makes it wrong for scalar"
        )
    return scheme_refusal("torchsde", solvers, case)


def _solvers(case: Case) -> Mapping[str, str]:
    """By scheme, for the calculus in which the case is to be solved. Additive noise has the same solution in either."""
    return ITO if _sde_type(case) == "ito" else STRATONOVICH


def _sde_type(case: Case) -> str:
    if case.noise == "additive":
        return "ito" if case.scheme in ITO else "stratonovich"
    return case.calculus


def exact_step(t0: float, t1: float, steps: int) -> float:
    """The step to give to torchsde, which goes by t + dt until it has reached t1.

    Where (t1 − t0) / steps isn't exact in binary the sum would stop short of t1 and a sliver of a step be added, so it
    is lengthened by a part in 10¹²; torchsde cuts the last step at t1.
    """
    dt = (t1 - t0) / steps
    power_of_two = steps & (steps - 1) == 0
    return dt if power_of_two else dt * (1 + 1e-12)


class _SDE:
    """A problem as torchsde wants it."""

    def __init__(self, problem: AbstractProblem, theta: Mapping[str, Any], sde_type: str) -> None:
        import torch

        self.noise_type = problem.noise
        self.sde_type = sde_type
        self.f = lambda t, y: problem.drift(torch, t, y, theta)
        self.g = lambda t, y: problem.diffusion(torch, t, y, theta)
        if problem.shares:
            self.f_and_g = lambda t, y: problem.drift_and_diffusion(torch, t, y, theta)


def _build(
    problem: AbstractProblem, case: Case, path: SharedPath | None, solve: Callable[..., Any], **options: Any
) -> Callable[[], Gradient]:
    """One solve and gradient by `solve`, torchsde's sdeint or sdeint_adjoint."""
    import torch
    import torchsde

    from harness.brownian.torchsde_path import InjectedBrownian

    kind: dict[str, Any] = {"dtype": getattr(torch, case.dtype), "device": torch.device(case.device)}
    y0_value, values = initial_values(problem, case.batch, case.seed)
    y0 = torch.tensor(y0_value, **kind).requires_grad_()
    theta = {name: torch.tensor(value, **kind).requires_grad_() for name, value in values.items()}
    sde = _SDE(problem, theta, options.pop("sde_type"))
    # Times in float64 whatever the state's precision: torchsde adds up its steps.
    observations = Grid.of_case(problem, case).count
    ts = torch.linspace(problem.t0, problem.t1, observations + 1, dtype=torch.float64, device=kind["device"])
    dt = exact_step(problem.t0, problem.t1, case.steps)
    shape = (case.batch, problem.noise_dim)
    levy_area = "space-time" if case.scheme == "srk" else "none"
    injected = None if path is None else InjectedBrownian(case, path)
    if solve is torchsde.sdeint_adjoint:
        options["adjoint_params"] = tuple(theta.values())

    def run() -> Gradient:
        # A new sample a call, as sdeint makes one where it is given none, but with a seed.
        bm = injected
        if bm is None:
            bm = torchsde.BrownianInterval(
                t0=ts[0], t1=ts[-1], size=shape, entropy=case.seed, levy_area_approximation=levy_area, **kind
            )
        ys = solve(sde, y0, ts, bm=bm, dt=dt, **options)
        loss = problem.loss(torch, ys[1:])
        y0_bar, *theta_bar = torch.autograd.grad(loss, [y0, *theta.values()], materialize_grads=True)
        return Gradient(loss.detach(), dict(zip(theta, theta_bar, strict=True)), y0_bar)

    return run


class Backprop(AbstractGradientMethod):
    """`torchsde.sdeint`, differentiated by autograd."""

    name = "torchsde/backprop"
    framework = "torch"
    summary = "sdeint, backpropagated through"
    step_seconds = 1.2e-3

    def unsupported(self, case: Case) -> str | None:
        """What sdeint has no scheme for."""
        return _refusal(case, {**_solvers(case), **(REVERSIBLE if _sde_type(case) == "stratonovich" else {})})

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        import torchsde

        method = {**_solvers(case), **REVERSIBLE}[case.scheme]
        return _build(problem, case, path, torchsde.sdeint, method=method, sde_type=_sde_type(case))


class Adjoint(AbstractGradientMethod):
    """`torchsde.sdeint_adjoint`. Backwards it takes the forward scheme for heun, midpoint and euler-heun.

    Else its default: milstein for diagonal Itô noise, euler for other Itô noise, midpoint for Stratonovich. It can't
    run srk backwards: the adjoint SDE has products g dW to give, not g.
    """

    name = "torchsde/adjoint"
    framework = "torch"
    summary = "sdeint_adjoint, the stochastic adjoint"
    exact = False
    step_seconds = 3e-3

    def unsupported(self, case: Case) -> str | None:
        """What sdeint_adjoint has no scheme for."""
        return _refusal(case, _solvers(case))

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        import torchsde

        method = _solvers(case)[case.scheme]
        options = {"adjoint_method": method} if case.scheme in FORWARD_AND_BACKWARD else {}
        return _build(problem, case, path, torchsde.sdeint_adjoint, method=method, sde_type=_sde_type(case), **options)


class Reversible(AbstractGradientMethod):
    """`torchsde.sdeint_adjoint` with reversible Heun both ways (Kidger et al. 2021)."""

    name = "torchsde/reversible"
    framework = "torch"
    summary = "sdeint_adjoint with reversible_heun and adjoint_reversible_heun"
    default_schemes = tuple(REVERSIBLE)
    step_seconds = 2.5e-3

    def unsupported(self, case: Case) -> str | None:
        """Reversible Heun only."""
        if case.calculus == "ito" and case.noise != "additive":
            return "reversible_heun is for Stratonovich SDEs"
        return _refusal(case, REVERSIBLE)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        import torchsde

        return _build(
            problem,
            case,
            path,
            torchsde.sdeint_adjoint,
            method="reversible_heun",
            adjoint_method="adjoint_reversible_heun",
            sde_type="stratonovich",
        )
