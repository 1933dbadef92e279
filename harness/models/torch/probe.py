"""A PyTorch model built once, and its loss and gradient computed, to find what a plan needs to know."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.utils._pytree import tree_leaves

from harness.commuting import commuting_note
from harness.errors import ProblemError
from harness.grid import Grid
from harness.models.declared import Model
from harness.models.facts import ModelFacts
from harness.models.source import Source
from harness.models.torch.call import OdeCall, SdeCall
from harness.models.torch.device import default_device
from harness.models.torch.instance import Instance
from harness.models.torch.native import NativeSolver
from harness.models.torch.solve import AbstractSolver
from harness.models.torch.structure import Structure, check_declared, structure_of
from harness.models.torch.twice import check_repeatable
from harness.registry import Registry
from harness.stepping import Asked
from harness.torch._drive import Drawn
from harness.torch._parameters import nodes_of
from harness.torch._reads import Reads
from harness.torch._right_hand_side import RightHandSide
from harness.torch._solve import native_method
from harness.torch._state import State

S = TypeVar("S")
FEW, MORE = 2, 10
"""Steps between two observations of the solves that a model is tried with."""


@dataclass
class Recorder(AbstractSolver):
    """Solves with few steps by backpropagation, and keeps what it was asked for."""

    registry: Registry
    seed: int
    per_interval: int = FEW
    call: SdeCall | OdeCall | None = None
    made: list[Node] = field(default_factory=list)
    """What autograd knows the states by that the last solve gave."""
    reads: Reads = field(default_factory=Reads)

    def sde(self, call: SdeCall) -> Tensor | tuple[Tensor, Tensor]:
        """By an Itô scheme for an Itô SDE."""
        self.call = call
        scheme = "euler" if call.side().calculus == "ito" else "heun"
        return self._kept(self._native(call, scheme).sde(call))

    def ode(self, call: OdeCall) -> State:
        """By Heun's scheme."""
        self.call = call
        return self._kept(self._native(call, "heun").ode(call))

    def _kept(self, states: S) -> S:
        self.made = [x.grad_fn for x in tree_leaves(states) if isinstance(x, Tensor) and x.grad_fn is not None]
        return states

    def _native(self, call: SdeCall | OdeCall, scheme: str) -> NativeSolver:
        steps = self.per_interval * self.grid_of(call).count
        method = native_method("backprop")
        return NativeSolver(method, self.registry.schemes[scheme], steps, Drawn(self.seed), reads=self.reads)

    @staticmethod
    def grid_of(call: SdeCall | OdeCall) -> Grid:
        """With a step for each interval between observations."""
        try:
            times = call.times()
            return Asked.of(times, max(1, np.size(times) - 1), None, 0.0, 0.0).grid
        except ValueError as error:
            raise ProblemError(str(error)) from error


def probe(source: Source, model: Model, settings: Mapping[str, object], *, seed: int, device: str) -> ModelFacts:
    """Raises ProblemError where the model can't be measured, and whatever it raises itself."""
    recorder = Recorder(Registry.load(), seed)
    with default_device(device):
        instance = Instance(model, settings, seed, recorder)
        loss = instance.loss()
        if not math.isfinite(float(loss.detach())):
            raise ProblemError(f"the loss is {float(loss.detach())} with the parameters that the model starts from")
        call = recorder.call
        assert call is not None  # or the loss would have been refused
        _check_reads_the_states(loss, recorder.made)
        check_repeatable(instance.loss, lambda: recorder.call)
        again = Instance(model, settings, seed, recorder).loss()
        if not torch.equal(loss, again):
            raise ProblemError(
                f"the loss is another one when the model is built again ({float(loss.detach()):.9g},"
                f" {float(again.detach()):.9g}); its random numbers must come from torch, numpy.random or random, which"
                " are seeded before it is built"
            )
        gradient = instance.gradient()
        _check_finite(gradient.theta)
        few = _seconds(instance)
        recorder.per_interval = MORE
        seconds = max(_seconds(instance) - few, 0.1 * few) / (MORE - FEW)
    grid, side, y = Recorder.grid_of(call), call.side(), call.start().detach()
    _check_place(y, device)
    at = y.new_tensor([grid.t0, *grid.observed_times()]).unbind()
    check_declared(side, at, y)
    structure = structure_of(side, at, y)
    columns, read = Reads().of(side, y, at, call.params)
    return ModelFacts(
        noise=side.noise,
        calculus=side.calculus,
        dim=y.shape[1],
        t0=grid.t0,
        t1=grid.t1,
        source=source,
        framework=model.framework,
        settings=tuple(sorted(settings.items())),
        batch=len(y),
        observations=grid.observations,
        dtype=str(y.dtype).removeprefix("torch."),
        columns=columns,
        reads_no_state=structure.reads_no_state or side.noise == "additive",
        commutes=structure.commutes,
        entries=sum(p.numel() for p in instance.parameters.values()),
        decreasing=isinstance(call, OdeCall) and call.decreasing,
        asked_dt=call.dt,
        asked_scheme=call.method,
        asked_rtol=call.rtol,
        asked_atol=call.atol,
        seconds=seconds / grid.count,
        notes=tuple(_notes(instance, gradient.theta, side, read, structure, shared=hasattr(side.owner, "f_and_g"))),
    )


def _check_reads_the_states(loss: Tensor, states: Sequence[Node]) -> None:
    """Whether one of the solve's states is among what the loss was made of."""
    made_of = [loss.grad_fn, *nodes_of([loss]).values()]
    if not any(node is state for node in made_of for state in states):
        raise ProblemError(
            "the loss doesn't depend on the states that solve gives, or they have no gradient: they were detached, made"
            " within torch.no_grad(), or depend on no parameter"
        )


def _check_finite(gradient: Mapping[str, Tensor]) -> None:
    broken = [name for name, value in gradient.items() if not value.isfinite().all()]
    if broken:
        raise ProblemError(f"the gradient of the loss isn't finite for the parameters {_listed(broken)}")


def _seconds(instance: Instance) -> float:
    """The shorter of two gradients."""
    found = []
    for _ in range(2):
        start = time.perf_counter()
        instance.gradient()
        found.append(time.perf_counter() - start)
    return min(found)


def _check_place(y: Tensor, device: str) -> None:
    if y.device.type != device:
        raise ProblemError(
            f"y0 is on {y.device.type}, the case on {device}: make the model's tensors without a device of their own,"
            " or move them to torch.get_default_device()"
        )


def _notes(
    instance: Instance,
    gradient: Mapping[str, Tensor],
    side: RightHandSide,
    read: list[Tensor],
    structure: Structure,
    *,
    shared: bool,
) -> list[str]:
    """What was found that the model's author should know."""
    notes = []
    if structure.reads_no_state and side.noise != "additive":
        notes.append(f"g doesn't read the state: the noise, declared {side.noise}, is additive")
    if not structure.reads_no_state:
        notes += commuting_note(side.noise, structure.commutes, side.declared, "the SDE")
    if shared:
        notes.append("f and g are evaluated together by f_and_g")
    if instance.frozen:
        notes.append(f"{instance.frozen} parameters don't require a gradient and are left out")
    unused = [name for name, value in gradient.items() if not value.any()]
    if unused:
        notes.append(f"the gradient is zero for {len(unused)} of {len(gradient)} parameters: {_listed(unused)}")
    own = {id(p) for p in side.owner.parameters()} if isinstance(side.owner, torch.nn.Module) else set[int]()
    context = [x for x in read if id(x) not in own and not x.is_leaf]
    if context:
        shapes = _listed([str(tuple(x.shape)) for x in context])
        tensors = "1 tensor that is" if len(context) == 1 else f"{len(context)} tensors that are"
        notes.append(
            f"f and g read {tensors} computed from other parameters ({shapes}): the adjoints of"
            " libraries get them as adjoint_params, without which that part of the gradient is lost"
        )
    return notes


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
