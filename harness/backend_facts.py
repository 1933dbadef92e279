"""What a report needs of a backend, as a run stores it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.store import About, Run


@dataclass(frozen=True)
class Style:
    """How the methods of a backend are drawn. The approach gives the hue.

    `lightness` is from 0, black, to 1, white; None: one that follows from the method's name. `marker` is a marker of
    matplotlib. `dashes` is a dash and a gap in points; empty: a solid line.
    """

    lightness: float | None = None
    marker: str = "X"
    dashes: tuple[float, ...] = (1, 1)


@dataclass(frozen=True)
class BackendFacts:
    """What a report needs of a backend. A run stores it, so that the run can be read where a plugin is missing.

    `floor` is the method that does the bare work for this backend, None where there is none. `comparable` are pairs of
    methods that do the same for a user: a native method, then the library's. `native` says that its methods are no
    library's.
    """

    floor: str | None = None
    comparable: tuple[tuple[str, str], ...] = ()
    style: Style = Style()
    native: bool = False

    @classmethod
    def of_json(cls, stored: About) -> BackendFacts:
        """From what `dataclasses.asdict` gave to a JSON file."""
        style = stored["style"]
        return cls(
            stored["floor"],
            tuple((ours, theirs) for ours, theirs in stored["comparable"]),
            Style(style["lightness"], style["marker"], tuple(style["dashes"])),
            stored.get("native", False),  # runs of earlier versions don't say
        )


def stored_facts(runs: Iterable[Run]) -> dict[str, BackendFacts]:
    """What these runs stored of their backends, the newest execution's. Runs of earlier versions stored nothing."""
    return {
        name: BackendFacts.of_json(stored)
        for run in runs
        for execution in run.about()["executions"]
        for name, stored in execution.get("backends", {}).items()
    }
