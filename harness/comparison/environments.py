"""What differs between the environments of two runs, and whether their machines are of one kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.machines import facts, facts_of
from harness.store import About, Run

KIND = ("processor", "gpus", "cores")
"""The facts in which two machines of one kind agree. Their names, and the versions on them, may differ."""
TOLD = ("python", "platform", "git_revision")
"""What is told of an execution besides its machine and the versions and settings on it."""


@dataclass(frozen=True)
class Difference:
    """A fact in which two environments differ."""

    name: str
    before: str
    after: str


def differences(before: About, after: About) -> list[Difference]:
    """Of the machines, versions and settings of two executions, entries of `run.json`."""
    told = [_told(about) for about in (before, after)]
    names = dict.fromkeys(name for one in told for name in one)
    pairs = ((name, *(one.get(name, "nothing") for one in told)) for name in names)
    return [Difference(name, old, new) for name, old, new in pairs if old != new]


def _told(about: About) -> dict[str, str]:
    """The machine's facts, then versions and settings by their names. What isn't installed or set is left out."""
    named = {**(about.get("packages") or {}), **(about.get("variables") or {})}
    machine = {name: text for name, text in facts(about, None).items() if name not in ("host", *named)}
    others = {name: about.get(name) for name in TOLD}
    return {**machine, **{name: text for name, text in {**others, **named}.items() if text is not None}}


def kinds(run: Run) -> Mapping[str, str]:
    """The kind of machine that measured each case of a run, in words, by the case."""
    rows = run.rows()
    return {
        row["case"]: ", ".join(machine[fact] for fact in KIND)
        for row, machine in zip(rows, facts_of([run], [rows])[0], strict=True)
    }
