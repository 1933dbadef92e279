"""What `harness try` measures of a model: methods, schemes and step counts that fit it, and that fit the time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, shown
from harness.grid import count_of
from harness.machine import Machine
from harness.method import AbstractGradientMethod
from harness.models.estimate import case_seconds, reference_seconds, reference_steps
from harness.models.facts import ModelFacts
from harness.registry import Registry
from harness.scheme import AbstractScheme
from harness.stepping.choice import FIRST
from harness.suite import Suite, make_suite
from harness.supported import is_for, whatever_the_scheme, with_scheme

USUAL_STEPS = 64
"""Steps to measure around where the model names no dt of its own."""
ADAPTIVE = "dopri5"
"""The scheme of adaptive solves of ODEs, which all libraries have."""
TOLERANCES, SDE_TOLERANCES = (1e-3, 1e-5), (1e-2, 1e-3)
"""The relative tolerances of adaptive solves."""
SMALLEST, SDE_SMALLEST = 1e-6, 1e-3
"""Their absolute tolerances."""
REFERENCE_SHARE = 0.5
"""Of the time, at most."""
FURTHER = 2**13
"""Steps of a grid by which a reference is refined once more, where there is time."""


@dataclass(frozen=True)
class Asked:
    """What a person asks for. Empty and None leave it to the model.

    `name` names the suite, `problem` is what stands in it. `minutes` bounds the time.
    """

    name: str
    problem: str
    steps: tuple[int, ...] = ()
    dt: tuple[float, ...] = ()
    methods: tuple[str, ...] = ()
    measure: tuple[str, ...] = ()
    seed: int = 0
    device: str = "cpu"
    minutes: float = 5.0


@dataclass(frozen=True)
class Chosen:
    """A suite for a model, about how long it takes, and sentences on what was left out for the time's sake."""

    suite: Suite
    seconds: float
    notes: tuple[str, ...]


def choose(asked: Asked, models: Mapping[str, ModelFacts], registry: Registry) -> Chosen:
    """The suite to run. Raises InputError where nothing fits, or a count of steps doesn't."""
    facts = next(iter(models.values()))
    methods, refused = _methods(asked, facts, registry)
    steps = _steps(asked, facts)
    schemes = _schemes(facts, methods, registry)
    measure, notes = asked.measure or ("time", "memory", "error"), []
    room = 60 * asked.minutes

    def reference_of(counts: Sequence[int]) -> float:
        if "error" not in measure:
            return 0.0
        return len(models) * reference_seconds(facts, reference_steps(facts, counts))

    reference = reference_of(steps[:1])
    if not asked.measure and reference > REFERENCE_SHARE * room:
        measure = tuple("adjoint_error" if name == "error" else name for name in measure)
        notes.append(
            "gradients are compared with the same discrete solve alone: the continuous reference would take about"
            f" {reference / 60:.0f} min (--minutes {math.ceil(2 * reference / 60)} measures against it)"
        )
    adaptive = _adaptive(asked, [*methods, *map(registry.method, refused)], facts, registry)
    while True:
        cases = [(m, s, n) for m, own in methods.items() for s in _of(own, schemes) for n in steps]
        cases += [(m, p.scheme, p.first) for p in adaptive for _ in p.rtols for m in p.methods]
        seconds = len(models) * sum(case_seconds(facts, m, s, n, asked.device, registry) for m, s, n in cases)
        reference = reference_of(steps)
        if seconds + reference <= room:
            break
        if len(schemes) > 1:
            notes.append(f"{schemes[-1].name} is left out: it doesn't fit in {asked.minutes:g} min")
            schemes = schemes[:-1]
        elif len(steps) > 1 and not (asked.steps or asked.dt):
            notes.append(f"{steps[-1]} steps are left out: they don't fit in {asked.minutes:g} min")
            steps = steps[:-1]
        elif adaptive:
            notes.append(f"adaptive steps are left out: they don't fit in {asked.minutes:g} min")
            adaptive = []
        else:
            break
    notes += _without_its_own(facts, [*schemes, *(product.scheme for product in adaptive)], methods, registry)
    total = seconds + reference
    further = len(models) * reference_seconds(facts, FURTHER)
    fine = FURTHER if total + further <= 60 * asked.minutes else 1
    return Chosen(_suite(asked, methods, refused, schemes, steps, measure, adaptive, fine), total, tuple(notes))


def _suite(
    asked: Asked,
    methods: Mapping[AbstractGradientMethod, tuple[AbstractScheme, ...]],
    refused: Sequence[str],
    schemes: Sequence[AbstractScheme],
    steps: Sequence[int],
    measure: Sequence[str],
    adaptive: Sequence[Adaptive],
    reference_steps: int,
) -> Suite:
    """A product for the methods that have one of the schemes, one in which the others have their own, and the adaptive.

    Those that are refused are among the latter, so that the run says why.
    """
    names = [scheme.name for scheme in schemes]
    usual = [m.name for m, own in methods.items() if any(s.name in names for s in own)]
    others = [*(m.name for m in methods if m.name not in usual), *refused]
    same = {"problem": asked.problem, "steps": list(steps), "device": asked.device}
    grids = [{**same, "method": usual, "scheme": names}] if usual else []
    grids += [{**same, "method": others}] if others else []
    grids += [{"problem": asked.problem, **product.axes(), "device": asked.device} for product in adaptive]
    data = {
        "name": asked.name,
        "title": f"Which gradient method for {asked.problem}?",
        "seed": asked.seed,
        "grid": grids,
        "measure": list(measure),
        "report": _figures(measure, len(steps)),
        "budget": {"rounds": 7, "seconds": max(5.0, 6 * asked.minutes), "reference_steps": reference_steps},
    }
    return make_suite(data, Path("--write-suite"))


@dataclass(frozen=True)
class Adaptive:
    """A product of adaptive solves: by one scheme, with one sampler of the noise."""

    methods: tuple[AbstractGradientMethod, ...]
    scheme: AbstractScheme
    brownian: str
    rtols: tuple[float, ...]
    atol: float
    first: int
    """The steps whose length is that of the first one."""

    def axes(self) -> dict[str, object]:
        """As in a suite, but for the problem and the device."""
        axes = {
            "method": [method.name for method in self.methods],
            "scheme": self.scheme.name,
            "stepping": "adaptive",
            "rtol": list(self.rtols),
            "atol": self.atol,
            "steps": self.first,
        }
        return axes if self.brownian == "own" else {**axes, "brownian": self.brownian}


def _adaptive(
    asked: Asked, methods: Iterable[AbstractGradientMethod], facts: ModelFacts, registry: Registry
) -> list[Adaptive]:
    """Adaptive solves at the usual tolerances and at the model's own; none where step counts are asked for.

    An SDE's native solves have a tree for their path, the libraries' a path of their own.
    """
    if asked.steps or asked.dt:
        return []
    able = [method for method in methods if "adaptive" in method.steppings]
    usual, smallest = (TOLERANCES, SMALLEST) if facts.noise == "none" else (SDE_TOLERANCES, SDE_SMALLEST)
    atol = facts.asked_atol or smallest
    wanted = {*usual, facts.asked_rtol} if facts.asked_rtol else set(usual)
    rtols = tuple(sorted(wanted, reverse=True))
    count = count_of(facts.observations)
    first = count * max(1, round(FIRST / count))

    def fitting(scheme: AbstractScheme, brownian: str) -> tuple[AbstractGradientMethod, ...]:
        how = {"stepping": "adaptive", "atol": atol, "brownian": brownian}
        return tuple(method for method in able if _refusal(facts, scheme, method, asked, **how) is None)

    samplers = ("own",) if facts.noise == "none" else ("tree", "own")
    found = {
        scheme: {brownian: fitting(scheme, brownian) for brownian in samplers} for scheme in registry.schemes.values()
    }
    scheme = _adaptive_scheme(facts, {s: sum(map(len, own.values())) for s, own in found.items()}, registry)
    if scheme is None:
        return []
    return [Adaptive(own, scheme, brownian, rtols, atol, first) for brownian, own in found[scheme].items() if own]


def _adaptive_scheme(
    facts: ModelFacts, counts: Mapping[AbstractScheme, int], registry: Registry
) -> AbstractScheme | None:
    """For an ODE dopri5. For an SDE the model's own, or else the cheapest of those that the most methods have."""
    fitting = [scheme for scheme, count in counts.items() if count]
    if facts.noise == "none":
        return next((scheme for scheme in fitting if scheme.name == ADAPTIVE), None)
    own = [s for s in fitting if facts.asked_scheme is not None and _is_called(s, facts.asked_scheme, registry)]
    by_count = sorted(fitting, key=lambda s: (-counts[s], sum(s.work(facts.noise))))
    return next(iter([*own, *by_count]), None)


def _figures(measure: Sequence[str], steps: int) -> list[dict[str, str]]:
    """Each measure over the steps, where there are several, and the gradient error over the time."""
    columns = {
        "time": "seconds_median",
        "memory": "peak_bytes",
        "error": "gradient_error_theta_median",
        "adjoint_error": "adjoint_error_theta_median",
    }
    shown = [columns[name] for name in columns if name in measure]
    figures = [{"figure": "scaling", "x": "steps", "y": y} for y in shown] if steps > 1 else []
    if {"time", "error"} <= set(measure):
        figures.append({"figure": "scaling", "x": "seconds_median", "y": columns["error"]})
    return figures or [{"figure": "points", "y": y} for y in shown]


def _methods(
    asked: Asked, facts: ModelFacts, registry: Registry
) -> tuple[dict[AbstractGradientMethod, tuple[AbstractScheme, ...]], list[str]]:
    """The methods that are asked for, by default all of the model's framework, each with the schemes by which it can
    solve the model; and the names of those that can't."""
    names = [m.name for m in registry.methods.values() if m.framework == facts.framework and not m.baseline]
    if asked.methods:
        try:
            names = [name for glob in asked.methods for name in registry.match_methods(glob)]
        except ValueError as error:
            raise InputError("--methods", "", str(error)) from error
    found: dict[AbstractGradientMethod, tuple[AbstractScheme, ...]] = {}
    reasons: dict[str, str] = {}
    # First those that the equation allows: what a method says of them is why it is left out.
    schemes = sorted(registry.schemes.values(), key=lambda scheme: not is_for(scheme, facts))
    for method in map(registry.method, dict.fromkeys(names)):
        own: list[AbstractScheme] = []
        for scheme in schemes:
            reason = _refusal(facts, scheme, method, asked)
            if reason is None:
                own.append(scheme)
            else:
                reasons.setdefault(method.name, reason)
        if own:
            found[method] = tuple(own)
    if not found:
        first = next(iter(reasons.items()), ("", "there is none"))
        raise InputError("--methods", "", f"no method can solve the model: {first[0]}: {first[1]}")
    return found, [name for name in reasons if registry.method(name) not in found]


def _refusal(
    facts: ModelFacts,
    scheme: AbstractScheme,
    method: AbstractGradientMethod,
    asked: Asked,
    *,
    stepping: str = "fixed",
    atol: float = 0.0,
    brownian: str = "own",
) -> str | None:
    steps = USUAL_STEPS * count_of(facts.observations)
    case = facts.case(
        problem=asked.problem,
        method=method.name,
        scheme=scheme.name,
        steps=steps,
        device=asked.device,
        brownian=brownian,
        seed=asked.seed,
        stepping=stepping,
        atol=atol,
    )
    machine = Machine.here(frozenset({facts.framework}) if asked.device == "cuda" else frozenset())
    return whatever_the_scheme(case, method, machine) or with_scheme(facts, scheme, method, case)


def _schemes(
    facts: ModelFacts,
    methods: Mapping[AbstractGradientMethod, tuple[AbstractScheme, ...]],
    registry: Registry,
) -> list[AbstractScheme]:
    """The cheapest scheme and the one of the highest order, of those that most methods and a library have.

    The model's own comes first.
    """
    libraries = [own for m, own in methods.items() if not registry.backends[m.name.partition("/")[0]].native]
    counts = {s: sum(s in own for own in methods.values()) for s in registry.schemes.values()}
    common = [s for s, count in counts.items() if count and count >= 0.75 * max(counts.values())]
    common = [s for s in common if any(s in own for own in libraries)] or common
    by_order = sorted(common, key=lambda s: (-(s.order(facts) or 0.0), sum(s.work(facts.noise))))
    cheapest = min(common, key=lambda s: (sum(s.work(facts.noise)), s.needs_commutative, -(s.order(facts) or 0.0)))
    own = [s for s in common if facts.asked_scheme is not None and _is_called(s, facts.asked_scheme, registry)]
    return list(dict.fromkeys([*own, cheapest, by_order[0]]))


def _without_its_own(
    facts: ModelFacts,
    schemes: Sequence[AbstractScheme],
    methods: Mapping[AbstractGradientMethod, tuple[AbstractScheme, ...]],
    registry: Registry,
) -> list[str]:
    """Says that the scheme that the model's own call names is not measured, where that is so."""
    name = facts.asked_scheme
    if name is None or any(_is_called(scheme, name, registry) for scheme in schemes):
        return []
    own = {(m.name.partition("/")[0], s.name) for m, fitting in methods.items() for s in fitting}
    known = {
        called
        for backend, scheme in own
        for called in (scheme, *(table.get(scheme) for table in registry.backends[backend].schemes.values()))
        if called is not None
    }
    if name in known:
        why = f"the call's method {name} is not measured, since too few methods can solve the model by it"
    else:
        why = f"the call's method {shown(name)} is not one of {', '.join(sorted(known))}"
    return [f"{why}; measured with: {', '.join(dict.fromkeys(scheme.name for scheme in schemes))}"]


def _is_called(scheme: AbstractScheme, name: str, registry: Registry) -> bool:
    """Whether a library, or the harness, calls the scheme so."""
    tables = [table for backend in registry.backends.values() for table in backend.schemes.values()]
    return scheme.name == name or any(table.get(scheme.name) == name for table in tables)


def _of(own: Sequence[AbstractScheme], schemes: Sequence[AbstractScheme]) -> Sequence[AbstractScheme]:
    """The schemes that a method is measured with: those of them that it has, or one of its own."""
    return [s for s in own if s in schemes] or own[:1]


def _steps(asked: Asked, facts: ModelFacts) -> list[int]:
    """Those asked for, or around the model's own dt: a quarter of it, it, four times as many."""
    count, span = count_of(facts.observations), facts.t1 - facts.t0
    equal = isinstance(facts.observations, int)
    wanted = [*asked.steps, *(math.ceil(span / dt * (1 - 1e-9)) for dt in asked.dt)]
    for steps in asked.steps:
        if steps < count or (equal and steps % count):
            near = max(1, round(steps / count)) * count
            needed = f"a multiple of {count}, such as {near}" if equal else f"at least {count}"
            raise InputError(
                "--steps", "", f"given {steps}; the model has {count} observation times", f"needed: {needed}"
            )
    own = USUAL_STEPS if facts.asked_dt is None else max(1, round(span / facts.asked_dt))
    chosen = wanted or [max(1, own // 4), own, 4 * own]
    return sorted({max(count, -(-n // count) * count if equal else n) for n in chosen})


def with_problem(suite: Suite, problem: str) -> Suite:
    """The suite with its model named in another way, as where its file is seen from another folder."""
    grids = tuple(grid.model_copy(update={"problem": (problem,)}) for grid in suite.grid)
    return suite.model_copy(update={"grid": grids})
