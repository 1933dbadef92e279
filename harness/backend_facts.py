"""What a report needs of a backend, as a run stores it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import InputError
from harness.store import ABOUT, RESTORE, About, Run


@dataclass(frozen=True)
class Style:
    """How the methods of a backend are drawn. The approach gives the colour.

    `marker` is a marker of matplotlib. `dashes` is a dash and a gap in points; empty: a solid line.
    """

    marker: str = "X"
    dashes: tuple[float, ...] = (1, 1)


@dataclass(frozen=True)
class BackendFacts:
    """What a report needs of a backend. A run stores it, so that the run can be read where a plugin is missing.

    `floor` is the method that does the bare work for this backend, None where there is none. `comparable` are pairs of
    methods that do the same for a user: a native method, then the library's. `native` says that its methods are no
    library's. `forward` is the method that solves without a gradient, None where there is none.
    """

    floor: str | None = None
    comparable: tuple[tuple[str, str], ...] = ()
    style: Style = Style()
    native: bool = False
    forward: str | None = None

    @classmethod
    def of_json(cls, stored: About) -> BackendFacts:
        """From what `dataclasses.asdict` gave to a JSON file."""
        style = stored["style"]
        return cls(
            stored["floor"],
            tuple((ours, theirs) for ours, theirs in stored["comparable"]),
            Style(style["marker"], tuple(style["dashes"])),
            stored.get("native", False),  # runs of earlier versions don't say, nor the next
            stored.get("forward"),
        )


def stored_facts(runs: Iterable[Run]) -> dict[str, BackendFacts]:
    """What these runs stored of their backends, the newest execution's. Runs of earlier versions stored nothing.

    Raises InputError where a run.json is damaged.
    """
    facts: dict[str, BackendFacts] = {}
    for run in runs:
        for execution in run.about()["executions"]:
            for name, stored in execution.get("backends", {}).items():
                try:
                    facts[name] = BackendFacts.of_json(stored)
                except (AttributeError, KeyError, TypeError, ValueError) as error:
                    fault = f"doesn't say what a report needs of {name}"
                    raise InputError(run.folder / ABOUT, "backends", fault, RESTORE) from error
    return facts
