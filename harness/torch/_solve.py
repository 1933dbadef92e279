"""A solve of a user's equation by a native method: what `sdeint`, `odeint` and the harness's models have in common."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from harness.case import Case
from harness.clock import Clock
from harness.machine import Machine
from harness.methods.torch._method import AbstractTorchMethod
from harness.methods.torch._solve import TorchSolve
from harness.registry import Registry
from harness.scheme import AbstractScheme
from harness.stepping import Asked
from harness.supported import whatever_the_scheme, with_scheme
from harness.torch._drive import AbstractDrive
from harness.torch._problem import OwnProblem
from harness.torch._reads import Reads
from harness.torch._right_hand_side import RightHandSide

ANYWHERE = Machine(1, frozenset({"torch"}))
"""Where a solve runs is the caller's choice."""


def solved(
    side: RightHandSide,
    y0: Float[Tensor, "batch dim"],
    *,
    method: AbstractTorchMethod,
    scheme: AbstractScheme | str | None,
    asked: Asked,
    drive: AbstractDrive,
    params: Iterable[Tensor] = (),
    reads: Reads | None = None,
    stratonovich: bool = False,
) -> Float[Tensor, "times batch dim"]:
    """The states at the observed times, y0 first. `scheme` is the method's own choice where it is None.

    `params` are tensors that f and g read, besides those that are found. A caller that solves again and again gives
    the same `reads`. With `stratonovich` an Itô SDE is solved by a Stratonovich scheme, through the exact correction of
    its drift. Raises ValueError for what can't be solved.
    """
    grid = asked.grid
    start = y0.detach().requires_grad_()
    batch, dim = y0.shape
    dtype = str(y0.dtype).removeprefix("torch.")
    clock = Clock(grid, dtype)
    scalars = dict(zip(clock.halves.tolist(), start.new_tensor(clock.halves).unbind(), strict=True))
    at, detached = start.new_tensor([grid.t0, *grid.observed_times()]).unbind(), y0.detach()
    reads = reads or Reads()
    parameters: list[Tensor] = []
    if method.unrolled:  # one graph: whatever is read has its gradient
        m = reads.columns(side, detached, at)
    else:
        m, parameters = reads.of(side, detached, at, params)
    case = Case(
        problem="own",
        # As general noise each sample keeps its g, where a problem of the harness has one for the whole batch.
        noise="general" if side.noise == "additive" else side.noise,
        calculus=side.calculus,
        scheme=scheme.name if isinstance(scheme, AbstractScheme) else scheme or "",
        method=method.name,
        dim=dim,
        batch=batch,
        steps=grid.steps,
        observations=grid.observations,
        dtype=dtype,
        device=str(y0.device),
        threads=1,
        brownian="own" if side.noise == "none" else drive.sampler(asked.stepping),
        seed=drive.seed,
        stepping=asked.stepping,
        rtol=asked.rtol,
        atol=asked.atol,
    )
    problem = OwnProblem(
        noise=case.noise,
        calculus=side.calculus,
        dim=dim,
        t0=grid.t0,
        t1=grid.t1,
        side=side,
        m=m,
        times=scalars,
        like=start,
    )
    its_scheme, problem = _fitting(method, problem, case, scheme, stratonovich=stratonovich)
    theta = {str(i): p for i, p in enumerate(parameters)}
    noise = drive.noise(problem, its_scheme, case, start)
    solve = TorchSolve(problem, its_scheme, case, start, theta, noise, stratonovich=stratonovich)
    return torch.cat([y0[None], method.stepped(solve).states(y0)])


@functools.cache
def registry() -> Registry:
    """What is installed."""
    return Registry.load()


def native_method(name: str) -> AbstractTorchMethod:
    """A native method by its approach, or by its whole name. Raises ValueError."""
    name = f"torch/{name.removeprefix('torch/')}"
    methods = {m.name: m for m in registry().methods.values() if isinstance(m, AbstractTorchMethod)}
    if name not in methods:
        approaches = ", ".join(n.removeprefix("torch/") for n in methods)
        raise ValueError(f"method must be one of {approaches}; given: {name.removeprefix('torch/')}")
    return methods[name]


def _fitting(
    method: AbstractTorchMethod,
    problem: OwnProblem,
    case: Case,
    asked: AbstractScheme | str | None,
    *,
    stratonovich: bool,
) -> tuple[AbstractScheme, OwnProblem]:
    """The scheme that was asked for, or the method's first that fits, and the problem in its calculus.

    Noise that doesn't read the state has the same solution in either. Raises ValueError.
    """
    reason = whatever_the_scheme(case, method, ANYWHERE)
    if reason is not None:
        raise ValueError(reason)
    reasons = []
    for scheme in _schemes(method, asked):
        either = stratonovich or problem.additive
        posed = replace(problem, calculus=scheme.calculi[0]) if either else problem
        noise = problem.side.noise  # a scheme for additive noise takes it as general noise too
        reason = with_scheme(
            replace(posed, noise=noise), scheme, method, replace(case, scheme=scheme.name, noise=noise)
        )
        if reason is None:
            return scheme, problem if stratonovich else posed
        reasons.append(reason)
    raise ValueError(reasons[0])


def _schemes(method: AbstractTorchMethod, asked: AbstractScheme | str | None) -> list[AbstractScheme]:
    """Those to be tried."""
    if isinstance(asked, AbstractScheme):
        return [asked]
    schemes = registry().schemes
    if asked and asked not in schemes:
        raise ValueError(f"scheme must be one of {', '.join(schemes)}; given: {asked}")
    return [schemes[name] for name in ([asked] if asked else method.default_schemes)]
