"""Before anything is measured: a user's model is built once, in a child, to find what a plan must know of it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.lazy import lazily
from harness.models.facts import ModelFacts
from harness.models.source import Source
from harness.models.trace import told
from harness.runner.worker import CaseFailure, Worker, start_server

if TYPE_CHECKING:
    from harness.models.jax import probe as _jax_probe
    from harness.models.torch import probe as _torch_probe
else:
    _jax_probe, _torch_probe = lazily("harness.models.jax.probe", "harness.models.torch.probe")

TIMEOUT_SECONDS = 300.0
MEMORY_BYTES = 2**40


@dataclass(frozen=True)
class Refused:
    """Why a model can't be measured: a sentence, and the lines of its author's files where it was raised."""

    message: str
    lines: str = ""


class ModelProbe:
    """Builds models in a child."""

    def found(self, spec: str, folder: Path, seed: int, device: str) -> dict[str, ModelFacts] | Refused:
        """What is known of the model that a suite names, by the name that its cases carry.

        One for every combination where a setting is given a list.
        """
        sys.stdout = sys.stderr  # what a model prints is none of a command's output
        try:
            source, text = Source.of(spec, folder)
        except ValueError as error:
            return Refused(str(error))
        try:
            model = source.model()
        except BaseException as error:
            return Refused(*told(error))
        try:
            settings = model.settings_of(text)
        except ValueError as error:
            return Refused(str(error))
        probe = _jax_probe.probe if model.framework == "jax" else _torch_probe.probe
        found: dict[str, ModelFacts] = {}
        for chosen in settings:
            name = model.spelled(chosen).replace(model.name, source.label, 1)
            try:
                facts = probe(source, model, chosen, seed=seed, device=device)
                found[name] = replace(facts, code=tuple(source.code().items()))
            except BaseException as error:
                return Refused(*told(error))
        return found


def find_models(
    specs: Iterable[str], folder: Path, *, seed: int, device: str, where: object
) -> dict[str, dict[str, ModelFacts]]:
    """By what a suite names, the models that it stands for. Raises InputError, whose message starts with `where`."""
    found: dict[str, dict[str, ModelFacts]] = {}
    for spec in dict.fromkeys(specs):
        try:
            answer = _asked(spec, folder, seed, device)
        except CaseFailure as failure:
            answer = Refused(failure.reason)
        if isinstance(answer, Refused):
            raise InputError(where, spec, answer.message, detail=answer.lines)
        found[spec] = answer
    return found


def _asked(spec: str, folder: Path, seed: int, device: str) -> dict[str, ModelFacts] | Refused:
    worker = Worker(start_server(), functools.partial(ModelProbe), timeout=TIMEOUT_SECONDS, memory=MEMORY_BYTES)
    try:
        return worker.call(ModelProbe.found, spec, folder, seed, device)
    finally:
        worker.close()
