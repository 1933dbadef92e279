"""`sdeint` and `odeint`: any of the native PyTorch methods on a model of one's own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, overload

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.brownian.torch_noise import NoiseSource, make_noise
from harness.case import Case
from harness.clock import Clock
from harness.machine import Machine
from harness.methods.torch._method import AbstractTorchMethod
from harness.methods.torch._solve import TorchSolve
from harness.registry import Registry
from harness.scheme import AbstractScheme
from harness.stepping import Asked, stepping_of
from harness.supported import whatever_the_scheme, with_scheme
from harness.torch._logqp import divergences, with_divergence
from harness.torch._noise import GivenNoise
from harness.torch._parameters import parameters_of
from harness.torch._problem import OwnProblem
from harness.torch._right_hand_side import RightHandSide
from harness.torch._state import Form, State

Times: TypeAlias = Tensor | np.ndarray | Sequence[float]


class _OdeOptions(TypedDict, total=False):
    """The options of `odeint`, for its overloads."""

    method: str
    scheme: str | None
    steps: int | None
    dt: float | None
    rtol: float
    atol: float
    params: Iterable[Tensor]


class _SdeOptions(_OdeOptions, total=False):
    """Those of `sdeint`."""

    seed: int | None
    bm: Callable[[float, float], object] | None


@overload
def sdeint(
    sde: object, y0: Float[Tensor, "batch dim"], ts: Times, *, logqp: Literal[True], **options: Unpack[_SdeOptions]
) -> tuple[Float[Tensor, "times batch dim"], Float[Tensor, "intervals batch"]]: ...
@overload
def sdeint(
    sde: object,
    y0: Float[Tensor, "batch dim"],
    ts: Times,
    *,
    logqp: Literal[False] = False,
    **options: Unpack[_SdeOptions],
) -> Float[Tensor, "times batch dim"]: ...
def sdeint(
    sde: object,
    y0: Float[Tensor, "batch dim"],
    ts: Times,
    *,
    method: str = "reversible",
    scheme: str | None = None,
    steps: int | None = None,
    dt: float | None = None,
    rtol: float = 0.0,
    atol: float = 0.0,
    seed: int | None = None,
    bm: Callable[[float, float], object] | None = None,
    params: Iterable[Tensor] = (),
    logqp: bool = False,
) -> Float[Tensor, "times batch dim"] | tuple[Float[Tensor, "times batch dim"], Float[Tensor, "intervals batch"]]:
    """Solve an SDE. The result has gradients by `y0` and by every parameter of the SDE, as `method` computes them.

    `sde` follows torchsde's convention: attributes `noise_type` ("additive", "scalar", "diagonal", "general") and
    `sde_type` ("ito", "stratonovich"), and methods `f(t, y)`, (batch, dim), and `g(t, y)`, (batch, dim) for diagonal
    noise, else (batch, dim, m); or `f_and_g(t, y)` for both. `y0` is (batch, dim), float32 or float64, on any device.
    `ts` are two or more increasing times, each of which is the end of a step. The solve takes `steps` steps in all,
    shared out between the times so that the longest step is as short as possible, or steps no longer than `dt`. Between
    two times all steps have one length.

    With `rtol` or `atol` above 0 the steps are adaptive. The error of a step is held below atol + rtol |y|, in the root
    mean square over the batch. `steps` or `dt` give the length of the first step then, by default a hundredth of the
    interval. For the methods "backprop" and "adjoint", for noise that is known to commute (additive or scalar), and
    with a `seed`, which is that of a virtual Brownian tree. The states are not numbers where a solve takes more than
    4096 steps.

    `method` is an approach of `harness list methods` that PyTorch has natively: "backprop", "checkpoint",
    "recursive-checkpoint", "adjoint", "reversible", …; `scheme` is one of `harness list schemes`, by default the
    first that the method prefers and the SDE allows. The Brownian path comes of `seed` (drawn from torch's generator if
    none is given), or is given as `bm(t0, t1)`, (batch, m), such as a torchsde.BrownianInterval.

    Parameters are those of `sde` where it is a module, and all tensors that f and g read when they are evaluated
    at `ts`. `params` adds what these two ways don't find. Every method but "backprop" has a sweep back of its own and
    is differentiable once.

    With `logqp` the result is a pair: the states, and for each interval between two times the Kullback–Leibler
    divergence from a prior dY = h dt + g dW, (len(ts) − 1, batch), as the loss of a latent SDE has it. `sde` then has a
    method `h(t, y)`. The divergence is one more entry of the state, without noise. For diagonal noise `bm` gives
    (batch, dim + 1), as in torchsde.

    Returns the states at `ts`, (len(ts), batch, dim), `y0` first. Raises ValueError for what can't be solved.

    Li et al. 2020 (AISTATS) for "adjoint", Kidger et al. 2021 (arXiv 2105.13493) for "reversible"; `docs/methods` has
    the others.
    """
    asked = _asked(ts, steps, dt, rtol, atol)
    if asked.stepping == "adaptive" and bm is not None:
        raise ValueError("adaptive steps read the noise at times that they choose: give a seed in place of bm")
    side = RightHandSide.of(sde)
    if logqp:
        side, y0 = with_divergence(side), torch.cat([_checked(y0), torch.zeros_like(y0[:, :1])], 1)
    ys = _EAGER(side, y0, method=method, scheme=scheme, asked=asked, seed=seed, bm=bm, params=params)
    return divergences(ys) if logqp else ys


@overload
def odeint(f: Callable[[Tensor, Tensor], Tensor], y0: Tensor, ts: Times, **options: Unpack[_OdeOptions]) -> Tensor: ...
@overload
def odeint(
    f: Callable[[Tensor, tuple[Tensor, ...]], tuple[Tensor, ...]],
    y0: tuple[Tensor, ...],
    ts: Times,
    **options: Unpack[_OdeOptions],
) -> tuple[Tensor, ...]: ...
def odeint(
    f: Callable[[Tensor, Any], State],
    y0: State,
    ts: Times,
    *,
    method: str = "reversible",
    scheme: str | None = None,
    steps: int | None = None,
    dt: float | None = None,
    rtol: float = 0.0,
    atol: float = 0.0,
    params: Iterable[Tensor] = (),
) -> State:
    """Solve dy/dt = f(t, y). All but the noise is as in `sdeint`.

    `f` takes a scalar tensor t and y, and gives what y is: what torchdiffeq's odeint takes. y is a tensor of any shape,
    or a tuple of tensors. The result has a further axis before those of y, or is a tuple of such tensors:
    (len(ts), batch, dim) for y0 of (batch, dim). The norm of adaptive steps is that of all entries of y.
    """
    form = Form.of(y0)
    side = RightHandSide(f, "none", "stratonovich", form.packed(f))
    asked = _asked(ts, steps, dt, rtol, atol)
    ys = _EAGER(side, form.pack(y0), method=method, scheme=scheme, asked=asked, seed=0, bm=None, params=params)
    return form.unpack(ys)


def _asked(ts: Times, steps: int | None, dt: float | None, rtol: float, atol: float) -> Asked:
    return Asked.of(ts.detach().cpu().numpy() if isinstance(ts, Tensor) else ts, steps, dt, rtol, atol)


def _solve(
    side: RightHandSide,
    y0: Float[Tensor, "batch dim"],
    *,
    method: str,
    scheme: str | None,
    asked: Asked,
    seed: int | None,
    bm: Callable[[float, float], object] | None,
    params: Iterable[Tensor],
) -> Float[Tensor, "times batch dim"]:
    _checked(y0)
    grid = asked.grid
    start = y0.detach().requires_grad_()
    batch, dim = y0.shape
    dtype = str(y0.dtype).removeprefix("torch.")
    clock = Clock(grid, dtype)
    scalars = dict(zip(clock.halves.tolist(), start.new_tensor(clock.halves).unbind(), strict=True))
    shown: list[int] = []

    at, detached = start.new_tensor([grid.t0, *grid.observed_times()]).unbind(), y0.detach()

    def evaluate() -> None:
        shown.extend(side.noise_dim(t, detached) for t in at)

    chosen = _method(f"torch/{method.removeprefix('torch/')}")
    if chosen.unrolled:  # one graph: whatever is read has its gradient
        evaluate()
    parameters = [] if chosen.unrolled else parameters_of(side.owner, evaluate, params)
    m = shown[0]
    additive = side.noise == "additive"
    case = Case(
        problem="own",
        # As general noise each sample keeps its g, where a problem of the harness has one for the whole batch.
        noise="general" if additive else side.noise,
        calculus=side.calculus,
        scheme=scheme or "",
        method=chosen.name,
        dim=dim,
        batch=batch,
        steps=grid.steps,
        observations=grid.observations,
        dtype=dtype,
        device=str(y0.device),
        threads=1,
        brownian="own" if side.noise == "none" else asked.sampler,
        seed=int(torch.randint(2**32, ()).item()) if seed is None else seed,
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
    reason = whatever_the_scheme(case, chosen, ANYWHERE)
    if reason is not None:
        raise ValueError(reason)
    its_scheme, problem = _fitting(chosen, problem, case)
    driver: NoiseSource
    if bm is None:
        driver = make_noise(case, m, stepping_of(problem, its_scheme, case), None, levy_area=its_scheme.needs_levy_area)
    elif its_scheme.needs_levy_area:
        raise ValueError(f"{its_scheme.name} needs the Lévy area of the path: give a seed in place of bm, or use heun")
    else:
        driver = GivenNoise(bm, clock.times.tolist(), start, m)
    theta = {str(i): p for i, p in enumerate(parameters)}
    solve = TorchSolve(problem, its_scheme, case, start, theta, driver)
    return torch.cat([y0[None], chosen.stepped(solve).states(y0)])


def _checked(y0: Tensor) -> Float[Tensor, "batch dim"]:
    """y0 itself; raises ValueError where the methods have no such states."""
    if y0.dim() != 2 or y0.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"y0 must be (batch, dim) in float32 or float64; given: {tuple(y0.shape)}, {y0.dtype}")
    return y0


_EAGER: Any = torch.compiler.disable(_solve)  # annotated as whatever `disable` may return
"""torch.compile leaves it as it is."""


ANYWHERE = Machine(1, frozenset({"torch"}))
"""Where a solve runs is the caller's choice."""


@functools.cache
def _registry() -> Registry:
    return Registry.load()


def _method(name: str) -> AbstractTorchMethod:
    methods = {m.name: m for m in _registry().methods.values() if isinstance(m, AbstractTorchMethod)}
    if name not in methods:
        approaches = ", ".join(n.removeprefix("torch/") for n in methods)
        raise ValueError(f"method must be one of {approaches}; given: {name.removeprefix('torch/')}")
    return methods[name]


def _fitting(method: AbstractTorchMethod, problem: OwnProblem, case: Case) -> tuple[AbstractScheme, OwnProblem]:
    """The scheme that was asked for, or the method's first that fits, and the problem in its calculus.

    Additive noise has the same solution in either. Raises ValueError.
    """
    schemes = _registry().schemes
    if case.scheme and case.scheme not in schemes:
        raise ValueError(f"scheme must be one of {', '.join(schemes)}; given: {case.scheme}")
    reasons = []
    for name in [case.scheme] if case.scheme else method.default_schemes:
        scheme = schemes[name]
        posed = replace(problem, calculus=scheme.calculi[0]) if problem.additive else problem
        reason = with_scheme(posed, scheme, method, replace(case, scheme=name))
        if reason is None:
            return scheme, posed
        reasons.append(reason)
    raise ValueError(reasons[0])
