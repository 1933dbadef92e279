"""`sdeint` and `odeint`: any of the native PyTorch methods on a user's own equation."""

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
    """Solve an SDE with a native gradient method. The result is differentiable in `y0` and in every parameter.

    Returns the states at `ts`, (len(ts), batch, dim), `y0` first. Raises ValueError if an argument is wrong or the
    method can't solve the SDE.

    - `sde`: an object as for torchsde. It has the attributes `noise_type` ("additive", "scalar", "diagonal" or
      "general") and `sde_type` ("ito" or "stratonovich"), and the methods `f(t, y)`, which returns (batch, dim), and
      `g(t, y)`, which returns (batch, dim) for diagonal noise and (batch, dim, m) for other noise; or `f_and_g(t, y)`
      for both.
    - `y0`: (batch, dim), float32 or float64, on any device.
    - `ts`: two or more increasing times. Each is the end of a step.
    - `method`: the gradient method: "backprop", "checkpoint", "recursive-checkpoint", "adjoint",
      "interpolating-adjoint", "reversible" or "ees". It is not torchsde's `method`.
    - `scheme`: the numerical scheme, a name of `harness list schemes`. Default: the method's first scheme that can
      solve the SDE.
    - `steps`: the number of steps from the first time to the last. With equally spaced `ts` it must be a multiple of
      the number of intervals; otherwise the steps are distributed so that the longest one is as short as possible.
      Between two times all steps have the same length. Or `dt`: the length that no step exceeds.
    - `rtol`, `atol`: if one of them is above 0, the steps are adaptive. The error of a step is kept below
      atol + rtol |y|, in the root mean square over batch and dimensions. `steps` or `dt` then sets the length of the
      first step; the default is a hundredth of the interval. Only "backprop" and "adjoint" support this. The noise must
      be additive or scalar, or `sde.commutes = True` must declare that it commutes. If more than 4096 steps are
      needed, the states are NaN.
    - `seed`: determines the Brownian path. Default: drawn from torch's generator. Adaptive steps use it for a virtual
      Brownian tree. Or `bm`: your own path, such as a torchsde.BrownianInterval, for fixed steps only. `bm(t0, t1)`
      returns the increment, (batch, m).
    - `params`: further tensors that get a gradient. The parameters of `sde`, if it is a module, and all tensors that f
      and g read when they are evaluated at `ts` are found automatically.
    - `logqp`: if True, the result is a pair: the states, and for each interval the Kullback–Leibler divergence from the
      prior dY = h dt + g dW, (len(ts) − 1, batch), which the loss of a latent SDE needs. `sde` must have a method
      `h(t, y)`. For diagonal noise `bm` must return (batch, dim + 1), as in torchsde.

    Second derivatives need `method="backprop"`; the other methods have a backward sweep of their own, which can't be
    differentiated again.

    Sources: Li et al. 2020 (AISTATS) for "adjoint", Kidger et al. 2021 (arXiv 2105.13493) for "reversible";
    `docs/methods` has those of the others.
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
    """Solve the ODE dy/dt = f(t, y) with a native gradient method. The arguments are those of `sdeint`, without noise.

    `f(t, y)` takes a scalar tensor and the state, as in torchdiffeq, and returns a tensor or tuple like the state. `y0`
    is a tensor of any shape or a tuple of tensors. The result has one more axis in front, for the times:
    (len(ts), batch, dim) for `y0` of shape (batch, dim). For a tuple it is a tuple of such tensors.

    `method` may also be "symplectic-adjoint" or "alf". The error of an adaptive step is the root mean square over all
    entries of the state.
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
