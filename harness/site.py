"""A machine that measures, and what was found out on it before a run."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from harness.case import Case
from harness.identity import Plugin
from harness.models.facts import ModelFacts
from harness.plan import Plan
from harness.store import About

Models: TypeAlias = Mapping[str, Mapping[str, ModelFacts]]
"""The models that a suite names: for the text in the suite, the facts by the name in a case."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """A machine, seen from the program that measures on it.

    `environment` is what `run.json` holds of it, with its warnings. `plan` has the cases that can be measured there,
    `cuda` the device's name by framework that sees one, `models` what was found of the suite's models, and `plugins`
    the digests of the plugins' and models' files as they are there.
    """

    environment: About
    plan: Plan
    cuda: Mapping[str, str] = field(default_factory=dict[str, str])
    models: Models = field(default_factory=dict[str, Mapping[str, ModelFacts]])
    plugins: tuple[Plugin, ...] = ()

    @functools.cached_property
    def cases(self) -> frozenset[Case]:
        """The cases that can be measured there."""
        return frozenset(self.plan.cases)

    @property
    def host(self) -> str:
        """The machine's name."""
        return str(self.environment["host"])


@dataclass(frozen=True)
class Surveyed:
    """The machines of an executor. There are none where it measures on this one. `notes` are sentences for a user."""

    sites: tuple[Site, ...] = ()
    notes: tuple[str, ...] = ()
