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
    """The data that a section is made from.

    - `frame`: the records of the page's runs, as `harness.load` returns them. Invisible characters are escaped.
    - `suite`: the suite.
    - `registry`: all methods, problems and schemes, including those of the suite's plugins.
    - `executions`: where and when the suite was executed: the entries of each `run.json`, the newest last.
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
    """A section of the page of a run. A subclass that a plugin defines is on the page."""

    name: ClassVar[str]
    """Its name in the registry and in the HTML of the page."""
    title: ClassVar[str]
    """Its heading."""
    order: ClassVar[int]
    """Its position: the page has its sections in ascending order. The built-in sections have 5 to 100."""

    @abstractmethod
    def html(self, measurements: Measurements) -> str:
        """The HTML below the heading; "" if there is nothing to show, and the page leaves the section out.

        The HTML isn't escaped further, so escape texts that come from records. If this raises an exception, the page
        shows the reason in place of the section.
        """
