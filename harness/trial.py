"""A model of one's own, tried: which gradient method is the fastest, which takes the least memory, which are exact."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from harness import session
from harness.errors import InputError, one_of
from harness.figure import Figure
from harness.grammar import as_name
from harness.identity import Identity
from harness.lazy import lazily
from harness.limits import LARGEST_SEED
from harness.listener import Listener
from harness.models.choice import Asked, choose
from harness.models.declared import Model
from harness.models.facts import ModelFacts
from harness.registry import Registry
from harness.runner.model_probe import find_models
from harness.session import Executed, Opened, Planned, Resolved, Source
from harness.store import Run
from harness.suite import MEASURES, Suite

if TYPE_CHECKING:
    import pandas as pd

    from harness.report import figures as _figures
    from harness.report import recommendation as _recommendation
else:
    _figures, _recommendation = lazily("harness.report.figures", "harness.report.recommendation")


@dataclass(frozen=True)
class Prepared:
    """A trial that is ready to be run. `notes` are sentences on what was left out."""

    planned: Planned
    models: Mapping[str, ModelFacts]
    seconds: float
    notes: tuple[str, ...]
    minutes: float

    @property
    def suite(self) -> Suite:
        """What it measures."""
        return self.planned.resolved.suite


def prepare(asked: Asked, folder: Path) -> Prepared:
    """Build the model once and choose what to measure. Files are relative to `folder`. Raises InputError."""
    if asked.device not in ("cpu", "cuda"):
        raise InputError("--device", "", f"given {asked.device!r}", "allowed: cpu, cuda")
    if not 0 < asked.minutes < float("inf"):
        raise InputError("--minutes", "", f"given {asked.minutes}", "needed: a number above 0")
    if not 0 <= asked.seed <= LARGEST_SEED:
        raise InputError("--seed", "", f"given {asked.seed}", f"needed: a whole number from 0 to {LARGEST_SEED}")
    for name in asked.measure:
        if name not in MEASURES:
            raise InputError("--measure", "", f"given {name!r}", one_of(MEASURES, name))
    found = find_models([asked.problem], folder, seed=asked.seed, device=asked.device, where="try")
    registry = Registry.load()
    registry.add_models(found)
    chosen = choose(asked, found[asked.problem], registry)
    place = folder / "suite"  # stands for the suite's file
    source = session.read(chosen.suite)
    identity = Identity.found(chosen.suite, registry.models.values())
    resolved = Resolved(Source(source.suite, place, source.text), identity, registry)
    return Prepared(session.plan(resolved), found[asked.problem], chosen.seconds, chosen.notes, asked.minutes)


def run_prepared(prepared: Prepared, opened: Opened, listener: Listener | None = None) -> Executed:
    """Measure, block by block, until the time is over: a block that has begun is finished."""
    end = time.monotonic() + 60 * prepared.minutes
    return session.execute(opened, listener, go_on=lambda: time.monotonic() < end)


@dataclass(frozen=True)
class Trial:
    """The result of `try_model`. `run` is the run with its records."""

    run: Run

    @property
    def frame(self) -> pd.DataFrame:
        """The records, one row per case: see `harness.load`."""
        return self.run.frame()

    def recommend(
        self, *, error: float | None = None, memory: str | int | None = None
    ) -> _recommendation.Recommendation:
        """The fastest case whose gradient error (relative L2) and peak memory stay within these bounds.

        `memory` is a number of bytes or a text such as "2GiB". Raises LookupError if there is no such case.
        """
        return _recommendation.recommend(self.frame, error=error, memory=memory)

    def figure(self, figure: str = "scaling", **options: object) -> _figures.Drawing:
        """A figure as in the `report` of a suite, such as `figure("scaling", x="steps", y="peak_bytes")`.

        A notebook displays it. `.svg` is the picture as text, `.data` its data. Raises ValueError for an option that
        the figure doesn't have, and LookupError if nothing was measured that it could show.
        """
        asked = TypeAdapter(Figure).validate_python({"figure": figure, **options})
        drawn = _figures.draw(asked, self.frame)
        if drawn is None:
            raise LookupError("nothing was measured that this figure shows")
        return drawn

    def sentences(self) -> list[str]:
        """The recommendation as `harness try` prints it: the fastest and the smallest method, the Pareto front, and
        what the data can't decide."""
        return _recommendation.sentences(self.frame)


def try_model(
    model: Model | str,
    *,
    steps: Sequence[int] = (),
    dt: Sequence[float] = (),
    methods: Sequence[str] = (),
    measure: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "cpu",
    minutes: float = 5.0,
    results: str | Path = "results",
) -> Trial:
    """Measure which gradient method suits a model, as `python -m harness try` does.

    - `model`: a function decorated with `harness.torch.model` or `harness.jax.model`, defined in a file, or
      "file.py:name".
    - `steps`: step counts, or `dt`: step lengths. Default: the number of steps that the model's own `dt` gives, a
      quarter of it and four times it.
    - `methods`: names or globs, such as "torch/*". Default: all that can solve the model.
    - `measure`: any of "time", "memory", "error" and "adjoint_error". Default: the first three.
    - `settings`: values of the model's settings. A list of values measures the model with each of them.
    - `seed`: of parameters, data and Brownian paths; `device`: "cpu" or "cuda".
    - `minutes`: about how long to measure.
    - `results`: the folder of the runs.

    Raises InputError if an argument is wrong or the model can't be measured.
    """
    spec, folder = (model, Path.cwd()) if isinstance(model, str) else _found(model)
    given = ", ".join(
        f"{key}={list(value) if isinstance(value, tuple) else value}" for key, value in (settings or {}).items()
    )
    asked = Asked(
        name=as_name(spec.partition("(")[0].rpartition(":")[2]),
        problem=f"{spec}({given})" if given else spec,
        steps=tuple(steps),
        dt=tuple(dt),
        methods=tuple(methods),
        measure=tuple(measure),
        seed=seed,
        device=device,
        minutes=minutes,
    )
    prepared = prepare(asked, folder)
    executed = run_prepared(prepared, session.open_run(prepared.planned, results=Path(results)))
    if executed.interrupted:
        raise KeyboardInterrupt
    return Trial(executed.run)


def _found(model: Model) -> tuple[str, Path]:
    """Where children find a model, and the folder of its file. Raises InputError where it isn't in a file."""
    file = inspect.getsourcefile(model.factory)
    if file is None or not Path(file).is_file():
        raise InputError(
            "try_model", model.name, "was defined in a session", "needed: a model in a file, which other processes read"
        )
    return f"{Path(file).name}:{model.name}", Path(file).parent
