"""Sweeps that keep some states and run the steps between them again, PyTorch, whoever takes the steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from harness.methods._revolve import AT_HAND, BLOCK, default_checkpoints, revolve
from harness.methods.torch._differentiable import Sweep
from harness.methods.torch._solve import TorchSolve, no_cotangents
from harness.scheme import State

Held = tuple[list[State[Tensor]], State[Tensor]]
"""The states that Revolve keeps, and the one that its way back starts from."""


def by_segments(solve: TorchSolve) -> Sweep[list[State[Tensor]]]:
    """Keep a state every ⌈√N⌉ steps; backwards, run each segment again with a graph."""
    segments = list(itertools.pairwise(solve.cuts(math.isqrt(solve.steps - 1) + 1)))

    def forward() -> tuple[list[Tensor], list[State[Tensor]]]:
        checkpoints, ys = [], []
        state = solve.init(solve.y0)
        for start, stop in segments:
            checkpoints.append(state)
            state = solve.observe(state, start, stop, ys)
        return ys, checkpoints

    def backward(checkpoints: list[State[Tensor]], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        theta, adjoint = solve.zeros_theta(), no_cotangents(checkpoints[0])
        for start, stop in reversed(segments):
            adjoint = solve.pull_back(adjoint, theta, checkpoints.pop(), start, stop, cotangents)
        return solve.pull_back_init(adjoint, theta), theta

    return Sweep(solve, forward, backward)


def by_revolve(solve: TorchSolve, checkpoints: int | None) -> Sweep[Held]:
    """Keep at most so many states, None for about log2 N, by the binomial schedule over blocks of steps."""
    cuts = solve.cuts(BLOCK)
    blocks = len(cuts) - 1
    schedule = revolve(blocks, default_checkpoints(solve.steps) if checkpoints is None else checkpoints)

    def forward() -> tuple[list[Tensor], Held]:
        ys: list[Tensor] = []
        state = solve.init(solve.y0)
        kept = [state]
        for start, stop in zip(schedule.stored, [*schedule.stored[1:], blocks - 1], strict=True):
            state = solve.observe(state, cuts[start], cuts[stop], ys)
            if stop < blocks - 1:
                kept.append(state)
        solve.observe(state, cuts[blocks - 1], solve.steps, ys)
        return ys, (kept, state)

    def backward(held: Held, cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        kept, state = held
        del held
        theta, adjoint = solve.zeros_theta(), no_cotangents(state)
        for leg in schedule.legs:
            if leg.slot != AT_HAND:
                del kept[leg.slot + 1 :]
                state = kept[leg.slot] if leg.store or leg.stop > leg.start else kept.pop()
            with torch.no_grad():
                state = solve.advance(state, cuts[leg.start], cuts[leg.stop])
            if leg.store:
                kept.append(state)
            else:
                adjoint = solve.pull_back(adjoint, theta, state, cuts[leg.stop], cuts[leg.stop + 1], cotangents)
        return solve.pull_back_init(adjoint, theta), theta

    return Sweep(solve, forward, backward)
