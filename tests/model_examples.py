"""The models of docs/examples, built tiny, and the scripts that their authors would write with the library itself."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import torchdiffeq
import torchsde

from harness.brownian.path import SharedPath
from harness.brownian.torchsde_path import InjectedBrownian
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import Values
from harness.measuring.framework import FRAMEWORKS
from harness.models.facts import ModelFacts
from harness.models.source import Source
from harness.models.torch.instance import LOSS, Instance, seed_everything
from harness.models.torch.probe import Recorder, probe
from harness.models.torch.subject import TorchModelSubject
from harness.registry import Registry
from harness.runner.subject import path_of
from harness.supported import with_scheme

FOLDER = Path(__file__).parents[2] / "docs" / "examples"
SEED, PATH_SEED = 3, 7


@dataclass(frozen=True)
class Example:
    """A model with tiny settings. `steps` is a count with which a library's usual call has the harness's grid.

    `read` gives the tensors that f and g read, which torchsde's documentation asks for as adjoint_params.
    """

    spec: str
    scheme: str
    steps: int
    settings: Mapping[str, object] = field(default_factory=dict)
    read: Callable[[Any], tuple[torch.Tensor, ...]] = lambda sde: tuple(sde.parameters())

    @property
    def source(self) -> Source:
        """Where it is."""
        return Source.of(self.spec, FOLDER)[0]


def _read_by_latent_sde(sde: Any) -> tuple[torch.Tensor, ...]:
    nets = (sde.posterior, sde.prior, sde.spreads)
    return (sde.context, *(p for net in nets for p in net.parameters()))


EXAMPLES = {
    "latent_sde": Example(
        "latent_sde.py:latent_sde", "euler", 20, {"batch": 4, "width": 3}, _read_by_latent_sde
    ),
    "cnf": Example("cnf.py:cnf", "heun", 5, {"batch": 5, "width": 4}),
    "cnf-hutchinson": Example("cnf.py:cnf", "heun", 5, {"batch": 5, "width": 4, "trace": "hutchinson"}),
    "conv_ode": Example("conv_ode.py:conv_ode", "heun", 4, {"batch": 3, "channels": 2, "size": 8}),
    "generator": Example("f_and_g.py:generator", "heun", 16, {"batch": 4, "width": 5}),
    "neural_cde": Example("neural_cde.py:neural_cde", "heun", 19, {"batch": 4, "hidden": 3, "width": 5}),
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


@functools.cache
def facts_of(name: str, dtype: torch.dtype) -> ModelFacts:
    """What the harness finds of an example."""
    example = EXAMPLES[name]
    with precision(dtype):
        return probe(example.source, example.source.model(), example.settings, seed=SEED, device="cpu")


def case_of(facts: ModelFacts, example: Example, method: str, scheme: str) -> Case:
    """The example solved by a method, on a shared path where it has one."""
    return Case(
        problem=example.spec,
        noise=facts.noise,
        calculus=facts.calculus,
        scheme=scheme,
        method=method,
        dim=facts.dim,
        batch=facts.batch,
        steps=example.steps,
        observations=facts.observations,
        dtype=facts.dtype,
        device="cpu",
        threads=1,
        brownian="own" if facts.noise == "none" else "shared",
        seed=SEED,
    )


def refusal(facts: ModelFacts, case: Case) -> str | None:
    """Why the case can't be solved, or None."""
    registry = Registry.load()
    return with_scheme(facts, registry.schemes[case.scheme], registry.method(case.method), case)


def by_harness(facts: ModelFacts, case: Case) -> GradientArrays:
    """As a child of a run computes it."""
    with precision(getattr(torch, facts.dtype)):
        instance = Instance(facts.source.model(), dict(facts.settings), SEED, Recorder(Registry.load(), SEED))
        subject = TorchModelSubject(case, Registry.load(), Values(torch.zeros(0).numpy(), instance.values()), facts)
        return FRAMEWORKS["torch"].read(subject.build(path_of(facts, facts.batch, PATH_SEED))())


def by_hand(facts: ModelFacts, example: Example, case: Case) -> GradientArrays:
    """By a script that calls the library, with the noise of the same path."""
    with precision(getattr(torch, facts.dtype)):
        step = script(facts, example, case, path_of(facts, facts.batch, PATH_SEED))
        loss, gradient = step()
        return GradientArrays.of(loss, {str(i).zfill(5): p.double().numpy() for i, p in enumerate(gradient)}, [])


def script(
    facts: ModelFacts, example: Example, case: Case, path: SharedPath | None
) -> Callable[[], tuple[float, tuple[torch.Tensor, ...]]]:
    """The example with the library's own functions in place of `solve`: the loss, and its gradient."""
    seed_everything(SEED)
    library = SimpleNamespace(
        sdeint=functools.partial(_SDEINT[case.method], example, case, path) if facts.noise != "none" else None,
        odeint=functools.partial(_ODEINT[case.method], case) if facts.noise == "none" else None,
    )
    loss, given = facts.source.model().factory(library, **facts_settings(facts))
    parameters = list(given)

    def step() -> tuple[float, tuple[torch.Tensor, ...]]:
        seed_everything(SEED + LOSS)
        value = loss()
        found = torch.autograd.grad(value, parameters)
        return float(value.detach()), found

    return step


def facts_settings(facts: ModelFacts) -> dict[str, Any]:
    """The model's settings."""
    return dict(facts.settings)


def _brownian(case: Case, path: SharedPath | None, y0: torch.Tensor, ts: torch.Tensor, columns: int) -> Any:
    if path is not None:
        return InjectedBrownian(case, path)
    return torchsde.BrownianInterval(ts[0], ts[-1], size=(len(y0), columns), dtype=y0.dtype, entropy=SEED)


def _how(case: Case, path: SharedPath | None, y0: torch.Tensor, ts: torch.Tensor) -> dict[str, Any]:
    assert path is None or isinstance(path, SharedPath)
    return {"bm": _brownian(case, path, y0, ts, case.dim), "dt": float(ts[-1] - ts[0]) / case.steps}


def _sdeint(example, case, path, sde, y0, ts, *, logqp=False, **own):
    scheme = "heun" if case.calculus == "stratonovich" else "euler"
    return torchsde.sdeint(sde, y0, ts, method=scheme, logqp=logqp, **_how(case, path, y0, ts))


def _sdeint_adjoint(example, case, path, sde, y0, ts, *, logqp=False, **own):
    how = {"method": "euler"} if case.calculus == "ito" else {"method": "heun", "adjoint_method": "heun"}
    how |= _how(case, path, y0, ts)
    return torchsde.sdeint_adjoint(sde, y0, ts, logqp=logqp, adjoint_params=example.read(sde), **how)


def _sdeint_reversible(example, case, path, sde, y0, ts, *, logqp=False, **own):
    how = {"method": "reversible_heun", "adjoint_method": "adjoint_reversible_heun", **_how(case, path, y0, ts)}
    return torchsde.sdeint_adjoint(sde, y0, ts, logqp=logqp, adjoint_params=example.read(sde), **how)


def _odeint(case, func, y0, t, **own):
    return torchdiffeq.odeint(func, y0, t, method="heun2", options=_step_size(case, t))


def _odeint_adjoint(case, func, y0, t, **own):
    return torchdiffeq.odeint_adjoint(func, y0, t, method="heun2", options=_step_size(case, t))


def _step_size(case: Case, t: torch.Tensor) -> dict[str, Any]:
    """Of the steps between two times; where there are more times, each is the end of a step: torchdiffeq's default."""
    return {"step_size": float((t[-1] - t[0]).abs()) / case.steps} if len(t) == 2 else {}


_SDEINT: dict[str, Callable[..., Any]] = {
    "torchsde/backprop": _sdeint,
    "torchsde/adjoint": _sdeint_adjoint,
    "torchsde/reversible": _sdeint_reversible,
}
_ODEINT: dict[str, Callable[..., Any]] = {
    "torchdiffeq/backprop": _odeint,
    "torchdiffeq/adjoint": _odeint_adjoint,
}


def library_cases() -> list[tuple[str, str, str]]:
    """Each example with every method of its library, and a scheme."""
    found = []
    for name, example in EXAMPLES.items():
        sde = name in ("latent_sde", "generator")
        for method in _SDEINT if sde else _ODEINT:
            if method == "torchsde/reversible":
                found += [(name, method, "reversible-heun")] if name == "generator" else []
            else:
                found.append((name, method, example.scheme))
    return found
