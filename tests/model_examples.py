"""The models of docs/examples, built tiny, and the scripts that their authors would write with the library itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torchdiffeq
import torchsde
from torch import Tensor

from harness.brownian.path import SharedPath
from harness.brownian.torchsde_path import InjectedBrownian
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import Values
from harness.measuring.framework import FRAMEWORKS
from harness.method import Gradient
from harness.models.facts import ModelFacts
from harness.models.source import Source
from harness.models.torch.instance import LOSS, Instance, seed_everything
from harness.models.torch.probe import Recorder, probe
from harness.models.torch.subject import TorchModelSubject
from harness.registry import Registry
from harness.runner.subject import path_of

FOLDER = Path(__file__).parents[1] / "docs" / "examples"
SEED, PATH_SEED = 3, 7
SDE, ODE = ("torchsde/backprop", "torchsde/adjoint"), ("torchdiffeq/backprop", "torchdiffeq/adjoint")


def all_of(sde: Any) -> tuple[Tensor, ...]:
    """Every parameter."""
    return tuple(sde.parameters())


def read_by_latent_sde(sde: Any) -> tuple[Tensor, ...]:
    """The context, and the parameters of what f, g and h evaluate: the encoder's are none of theirs."""
    return (sde.context, *(p for net in (sde.posterior, sde.prior, sde.spreads) for p in net.parameters()))


@dataclass(frozen=True)
class Example:
    """A model with tiny settings, its library's methods with a scheme that they solve it by.

    With `steps` steps a library's usual call has the harness's grid. `read` gives what torchsde's documentation asks
    for as adjoint_params.
    """

    spec: str
    methods: tuple[str, ...]
    scheme: str
    steps: int
    settings: Mapping[str, object] = field(default_factory=dict)
    read: Callable[[Any], tuple[Tensor, ...]] = all_of

    @property
    def source(self) -> Source:
        """Where it is."""
        return Source.of(self.spec, FOLDER)[0]


EXAMPLES = {
    "latent_sde": Example("latent_sde.py:latent_sde", SDE, "euler", 20, {"batch": 4, "width": 3}, read_by_latent_sde),
    "cnf": Example("cnf.py:cnf", ODE, "heun", 5, {"batch": 5, "width": 4}),
    "cnf-hutchinson": Example("cnf.py:cnf", ODE, "heun", 5, {"batch": 5, "width": 4, "trace": "hutchinson"}),
    "conv_ode": Example("conv_ode.py:conv_ode", ODE, "heun", 4, {"batch": 3, "channels": 2, "size": 8}),
    "generator": Example("f_and_g.py:generator", SDE, "heun", 16, {"batch": 4, "width": 5}),
    "neural_cde": Example("neural_cde.py:neural_cde", ODE, "heun", 19, {"batch": 4, "hidden": 3, "width": 5}),
}


@contextmanager
def precision(dtype: torch.dtype) -> Iterator[None]:
    """Models that name no dtype have this one."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def found(example: Example, settings: Mapping[str, object]) -> ModelFacts:
    """What the harness finds of an example."""
    return probe(example.source, example.source.model(), settings, seed=SEED, device="cpu")


@functools.cache
def tiny(name: str, dtype: torch.dtype) -> ModelFacts:
    """An example with its tiny settings."""
    with precision(dtype):
        return found(EXAMPLES[name], EXAMPLES[name].settings)


def case_of(facts: ModelFacts, method: str, scheme: str, steps: int) -> Case:
    """The example solved by a method, on a shared path where it is an SDE."""
    label = facts.source.label
    return facts.case(problem=label, method=method, scheme=scheme, steps=steps, brownian="shared", seed=SEED)


def path_for(facts: ModelFacts) -> SharedPath | None:
    """The noise of both, None for an ODE."""
    return path_of(facts, facts.batch, PATH_SEED)


def values_of(facts: ModelFacts) -> Values:
    """The model's parameters."""
    instance = Instance(facts.source.model(), dict(facts.settings), SEED, Recorder(Registry.load(), SEED))
    return Values(np.zeros(0), instance.values())


def by_harness(facts: ModelFacts, case: Case) -> GradientArrays:
    """As a child of a run computes it."""
    with precision(getattr(torch, facts.dtype)):
        subject = TorchModelSubject(case, Registry.load(), values_of(facts), facts)
        return FRAMEWORKS["torch"].read(subject.build(path_for(facts))())


def by_hand(facts: ModelFacts, case: Case, example: Example) -> GradientArrays:
    """By a script that calls the library, with the noise of the same path."""
    with precision(getattr(torch, facts.dtype)):
        return FRAMEWORKS["torch"].read(script(facts, case, example, path_for(facts))())


def script(facts: ModelFacts, case: Case, example: Example, path: SharedPath | None) -> Callable[[], Gradient[Tensor]]:
    """The example with the library's own functions in place of `solve`. Without a path torchsde draws its noise."""
    library = SimpleNamespace(
        sdeint=lambda sde, y0, ts, **own: sdeint(case, path, facts.columns, example, sde, y0, ts, **own),
        odeint=lambda func, y0, t, **own: odeint(case, func, y0, t, **own),
    )
    seed_everything(SEED)
    built: Any = facts.source.model().factory(library, **dict(facts.settings))
    loss, parameters = built[0], list(built[1])

    def gradient() -> Gradient[Tensor]:
        seed_everything(SEED + LOSS)
        value = loss()
        bars = torch.autograd.grad(value, parameters)
        return Gradient(value.detach(), {f"{i:05d}": bar for i, bar in enumerate(bars)}, value.new_zeros(0))

    return gradient


def sdeint(
    case: Case,
    path: SharedPath | None,
    columns: int,
    example: Example,
    sde: Any,
    y0: Tensor,
    ts: Tensor,
    *,
    logqp: bool = False,
    **own: object,
) -> Any:
    """torchsde, with the method and the steps of the case."""
    del own
    how: dict[str, Any] = {"dt": float(ts[-1] - ts[0]) / case.steps, "method": case.scheme, "logqp": logqp}
    if path is not None:
        how["bm"] = InjectedBrownian(case, path)
    else:
        how["bm"] = torchsde.BrownianInterval(ts[0], ts[-1], size=(len(y0), columns), dtype=y0.dtype, entropy=case.seed)
    if case.method == "torchsde/backprop":
        return torchsde.sdeint(sde, y0, ts, **how)
    if case.method == "torchsde/reversible":
        how |= {"method": "reversible_heun", "adjoint_method": "adjoint_reversible_heun"}
    elif case.scheme == "heun":
        how["adjoint_method"] = "heun"
    return torchsde.sdeint_adjoint(sde, y0, ts, adjoint_params=example.read(sde), **how)


def odeint(case: Case, func: Any, y0: Any, t: Tensor, **own: object) -> Any:
    """torchdiffeq. Where there are more times than two, each is the end of a step: its default without a step_size."""
    del own
    solve = torchdiffeq.odeint if case.method == "torchdiffeq/backprop" else torchdiffeq.odeint_adjoint
    step = {"step_size": float((t[-1] - t[0]).abs()) / case.steps} if len(t) == 2 else {}
    return solve(func, y0, t, method="heun2", options=step)
