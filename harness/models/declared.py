"""A declared model: a function that builds a loss and its parameters, with settings that a suite may vary."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import TypeAlias

from harness.errors import shown
from harness.spec import KINDS, canonical, parse

Factory: TypeAlias = Callable[..., object]
"""(solve, **settings) -> (loss, parameters)."""


@dataclass(frozen=True)
class Model:
    """What a decorated function becomes. It can be called as before.

    `settings` are its keyword arguments with their defaults: numbers, text, true or false.
    """

    name: str
    framework: str
    factory: Factory
    settings: Mapping[str, object]

    def __call__(self, solve: object, /, **settings: object) -> object:
        """The function itself."""
        return self.factory(solve, **settings)

    def settings_of(self, text: str, *, lists: bool = True) -> list[dict[str, object]]:
        """The settings that `batch=32, width=[16, 64]` stands for, those at their default left out.

        One for every combination. Raises ValueError, in a person's words.
        """
        return parse(self.name, text, self._fields(), lists=lists)

    def spelled(self, settings: Mapping[str, object]) -> str:
        """The name with these settings, in one spelling."""
        return canonical(self.name, dict(settings))

    def _fields(self) -> type:
        """The settings as the fields of a class."""
        fields = [(name, type(value), dataclasses.field(default=value)) for name, value in self.settings.items()]
        return dataclasses.make_dataclass(self.name, fields)


def declare(framework: str, factory: Factory) -> Model:
    """The model that a function of this framework declares. Raises TypeError where its arguments don't allow it."""
    if not inspect.isfunction(factory):
        raise TypeError(f"@harness.{framework}.model decorates a function; given: {shown(factory)}")
    arguments = list(inspect.signature(factory).parameters.values())
    first, others = arguments[:1], arguments[1:]
    if not first or first[0].kind not in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
        raise TypeError(f"{factory.__name__} must take `solve` as its first argument")
    settings: dict[str, object] = {}
    for other in others:
        if other.kind in (other.VAR_KEYWORD, other.VAR_POSITIONAL) or other.default is other.empty:
            raise TypeError(f"{factory.__name__}: {other.name} needs a default, as in {other.name}=32")
        if type(other.default) not in KINDS or other.default is None:
            raise TypeError(
                f"{factory.__name__}: the default of {other.name} is {other.default!r}; needed: a number, text, True or"
                " False"
            )
        settings[other.name] = other.default
    return Model(factory.__name__, framework, factory, settings)
