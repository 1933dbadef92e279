"""Reversible Heun's own backward sweep, compiled in chunks, PyTorch: one evaluation of f and g a step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from harness.arithmetic import combine
from harness.arrays import Scalar
from harness.methods.torch._differentiable import Sweep
from harness.methods.torch_compile._chunks import ChunkedSolve, Setting, compile_chunk, vjp
from harness.scheme import Noise, State, increment_of

Backward = Callable[
    [
        State[Tensor],
        Tensor,
        Tensor,
        Sequence[Tensor],
        Sequence[Tensor],
        Sequence[Noise[Tensor]],
        Sequence[Tensor],
        Tensor,
        Tensor,
    ],
    tuple[State[Tensor], Tensor, Tensor, list[Tensor]],
]
"""(state, ȳ, z̄, θ, ∂L/∂θ so far, noise, times, cotangent, own) -> state, ȳ, z̄ and ∂L/∂θ at the chunk's start."""


def reversible_heun(solve: ChunkedSolve) -> Sweep[State[Tensor]]:
    """The recursion of `docs/methods/reversible.md`, in its words."""
    setting, theta = solve.setting, solve.fixed
    step_back = _compiled_backward(setting)
    zero, half = (torch.tensor(x, dtype=solve.y0.dtype, device=solve.y0.device) for x in (0.0, 0.5))
    nothing = torch.zeros_like(solve.y0)

    def forward() -> tuple[list[Tensor], State[Tensor]]:
        ys: list[Tensor] = []
        return ys, solve.observe(solve.init(solve.y0), 0, solve.steps, ys)

    @torch.no_grad()
    def backward(state: State[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        y_bar = cotangents[-1]
        last = increment_of(solve.noise[solve.steps - 1])
        # The last evaluation enters y_N alone.
        own = 0.5 * y_bar
        evaluate = functools.partial(_evaluate, setting, solve.time(solve.steps))
        z_bar, theta_bar = vjp(evaluate, state[1], theta)[1](_cotangents(setting, theta, own, [(own, last)]))
        for start in reversed(range(0, solve.steps, solve.stride)):
            for steps in solve.backward_chunks(start):
                first = steps.start
                k = solve.observation(first)
                noise = solve.backward_noise(range(max(first - 1, 0), steps.stop))
                if first == 0:
                    noise = noise[:1] + noise  # there is no step before it, and `own` is zero
                state, y_bar, z_bar, theta_bar = step_back(
                    state,
                    y_bar,
                    z_bar,
                    theta,
                    theta_bar,
                    noise,
                    solve.times(steps),
                    nothing if k is None else cotangents[k],
                    half if first else zero,
                )
        return y_bar + z_bar, theta_bar

    return Sweep(solve, forward, backward)


def _evaluate(setting: Setting, t: Scalar, z: Tensor, theta: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """f and g, without g for an ODE."""
    terms = setting.terms(theta)
    f, g = terms.f_and_g(t, z)
    return (f,) if g is None else (f, g)


def _cotangents(
    setting: Setting, theta: Sequence[Tensor], total: Tensor, pairs: Sequence[tuple[Tensor, Tensor | None]]
) -> tuple[Tensor, ...]:
    """What f and g receive from the increments that they enter, a cotangent and dW each; `total` is their sum."""
    f_bar, terms = total * setting.dt, setting.terms(theta)
    parts = [terms.noise_cotangent(bar, dW) for bar, dW in pairs if dW is not None]
    g_bar = combine([1.0] * len(parts), parts)
    return (f_bar,) if g_bar is None else (f_bar, g_bar)


@functools.lru_cache(maxsize=2)
def _compiled_backward(setting: Setting) -> Backward:
    """A chunk of steps back, from the state and the cotangents at its end to those at its start.

    `noise` starts with that of the step before the chunk, `times` are those of the steps' starts; y at the chunk's
    start receives `cotangent` from the loss. `own` is the ½ of ½ ȳ at the chunk's start, 0 where no step comes before.
    """
    dt = setting.dt

    def backward(
        state: State[Tensor],
        y_bar: Tensor,
        z_bar: Tensor,
        theta: Sequence[Tensor],
        theta_bar: Sequence[Tensor],
        noise: Sequence[Noise[Tensor]],
        times: Sequence[Tensor],
        cotangent: Tensor,
        own: Tensor,
    ) -> tuple[State[Tensor], Tensor, Tensor, list[Tensor]]:
        y, z, f, g = state
        terms = setting.terms(theta)
        for k in reversed(range(len(times))):
            dW, previous = increment_of(noise[k + 1]), increment_of(noise[k])
            increment1 = terms.product(f, g, dt, dW)
            z = 2 * y - z - increment1
            next_bar = z_bar + 0.5 * y_bar  # what f(z_n) dt + g(z_n) dW_n receives
            y_bar = y_bar + 2 * z_bar
            if k == 0:
                y_bar = y_bar + cotangent
            own_bar = (own if k == 0 else 0.5) * y_bar
            values, pull = vjp(functools.partial(_evaluate, setting, times[k]), z, theta)
            product, products = pull(
                _cotangents(setting, theta, next_bar + own_bar, [(next_bar, dW), (own_bar, previous)])
            )
            f, g = values if len(values) == 2 else (*values, None)
            y = y - 0.5 * (increment1 + terms.product(f, g, dt, dW))
            z_bar = product - z_bar
            theta_bar = [total + part for total, part in zip(theta_bar, products, strict=True)]
        after: tuple[Any, ...] = tuple(None if x is None else x.contiguous() for x in (y, z, f, g))  # an ODE has no g
        return after, y_bar.contiguous(), z_bar.contiguous(), list(theta_bar)

    return compile_chunk(backward, setting.case)
