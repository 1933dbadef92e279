"""`sdeint` and `odeint`: any of the native PyTorch methods on a model of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, overload

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.stepping import Asked
from harness.torch._drive import AbstractDrive, Drawn, Given
from harness.torch._logqp import divergences, with_divergence, with_room_for_divergence
from harness.torch._right_hand_side import RightHandSide
from harness.torch._solve import native_method, solved
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
    drive = _drive(asked, seed, bm)
    side = RightHandSide.of(sde)
    _checked(y0)
    if logqp:
        side, y0 = with_divergence(side), with_room_for_divergence(y0)
    ys = _EAGER(side, y0, method=native_method(method), scheme=scheme, asked=asked, drive=drive, params=params)
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
    side, asked = RightHandSide.of_ode(f, form), _asked(ts, steps, dt, rtol, atol)
    start = _checked(form.pack(y0))
    ys = _EAGER(side, start, method=native_method(method), scheme=scheme, asked=asked, drive=Drawn(0), params=params)
    return form.unpack(ys)


def _asked(ts: Times, steps: int | None, dt: float | None, rtol: float, atol: float) -> Asked:
    return Asked.of(ts.detach().cpu().numpy() if isinstance(ts, Tensor) else ts, steps, dt, rtol, atol)


def _checked(y0: Tensor) -> Float[Tensor, "batch dim"]:
    """y0 itself; raises ValueError where the methods have no such states."""
    if y0.dim() != 2 or y0.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"y0 must be (batch, dim) in float32 or float64; given: {tuple(y0.shape)}, {y0.dtype}")
    return y0


_EAGER: Any = torch.compiler.disable(solved)  # annotated as whatever `disable` may return
"""torch.compile leaves it as it is."""


def _drive(asked: Asked, seed: int | None, bm: Callable[[float, float], object] | None) -> AbstractDrive:
    """As the arguments of `sdeint` say."""
    if bm is None:
        return Drawn(int(torch.randint(2**32, ()).item()) if seed is None else seed)
    if asked.stepping == "adaptive":
        raise ValueError("adaptive steps read the noise at times that they choose: give a seed in place of bm")
    return Given(bm)
