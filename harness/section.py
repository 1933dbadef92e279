"""The abstract section: a part of a run's page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import pandas as pd

    from harness.registry import Registry
    from harness.store import About
    from harness.suite import Suite


@dataclass(frozen=True, eq=False)
class Measurements:
    """What a section is made from.

    `frame` has the records of the page's runs, as `harness.load` gives them, with what isn't visible as escapes.
    `executions` are the entries of each `run.json`, the newest last: where and when the suite was executed.
    `registry` has the suite's plugins too.
    """

    frame: pd.DataFrame
    suite: Suite
    registry: Registry
    executions: tuple[About, ...]

    @property
    def machines(self) -> list[str]:
        """The names of the machines that measured the records."""
        return sorted(set(self.frame["machine"]))


class AbstractSection(ABC):
    """A section of the page of a run. Any final subclass that a plugin defines is on the page."""

    name: ClassVar[str]
    """Names it in the registry and in the page's HTML."""
    title: ClassVar[str]
    """Its heading."""
    order: ClassVar[int]
    """Where it stands: the page has its sections in ascending order. The built-in ones are at 10, 20, …, 100."""

    @abstractmethod
    def html(self, measurements: Measurements) -> str:
        """What stands below the heading, as HTML, "" where there is nothing to show: then the page leaves it out.

        The page takes it as it is: escape texts that come from records. If it raises, the page says why in its place.
        """
