"""What a plugin declares is looked at when it is registered, and what it raises when it is asked is said in a line."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.backend import AbstractBackend
from harness.case import CALCULI
from harness.errors import InputError, shown
from harness.method import AbstractGradientMethod
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.section import AbstractSection

T = TypeVar("T")
FRAMEWORKS = ("torch", "jax", "numpy")
WORD = r"[\w.-]+"
GIVEN = ("noise", "calculus", "dim")
"""Fields of a problem that a case sets."""


@dataclass(frozen=True)
class Rule:
    """An attribute of a class, what it must be, and a test of that."""

    attribute: str
    needed: str
    holds: Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_named(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


def _is_one_of(allowed: Sequence[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in allowed


def _are_names(value: object) -> bool:
    return isinstance(value, tuple) and all(map(_is_text, value))


def _are_calculi(value: object) -> bool:
    return isinstance(value, tuple) and len(value) > 0 and all(calculus in CALCULI for calculus in value)


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < math.inf


NAME = Rule("name", "a word of letters, digits, _, . and -", _is_named(WORD))
FRAMEWORK = Rule("framework", f"one of {', '.join(FRAMEWORKS)}", _is_one_of(FRAMEWORKS))
SUMMARY = Rule("summary", "a line of text", _is_text)
RULES: dict[type, tuple[Rule, ...]] = {
    AbstractGradientMethod: (
        Rule("name", "backend/approach, each a word of letters, digits, _, . and -", _is_named(f"{WORD}/{WORD}")),
        FRAMEWORK,
        SUMMARY,
        *(
            Rule(attribute, "a tuple of names", _are_names)
            for attribute in ("default_schemes", "samplers", "steppings")
        ),
        Rule("step_seconds", "a number above 0", _is_duration),
    ),
    AbstractBackend: (NAME, FRAMEWORK, SUMMARY, Rule("packages", "a tuple of names", _are_names)),
    AbstractProblem: (NAME,),
    AbstractScheme: (
        NAME,
        SUMMARY,
        Rule("calculi", f"a tuple of some of {', '.join(CALCULI)}", _are_calculi),
        Rule("noises", "a tuple of names", _are_names),
    ),
    AbstractSection: (
        NAME,
        Rule("title", "a line of text", _is_text),
        Rule("order", "a number", lambda value: isinstance(value, int | float)),
    ),
}


def check_class(cls: type, base: type, where: str) -> None:
    """Raises InputError where an attribute isn't what `base` needs, or a problem's field has no default."""
    for rule in RULES[base]:
        value = getattr(cls, rule.attribute, None)
        if not rule.holds(value):
            given = "is missing" if value is None else f"is {shown(value)}"
            raise InputError(where, f"{cls.__name__}.{rule.attribute}", given, f"needed: {rule.needed}")
    if base is AbstractProblem:
        for field in dataclasses.fields(cls):
            missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if missing and field.init and field.name not in GIVEN:
                raise InputError(
                    where, f"{cls.__name__}.{field.name}", "has no default", "needed: one, as in `mu = 1.0`"
                )


def guarded(where: object, key: str, action: Callable[[], T]) -> T:
    """What a plugin does. Whatever it raises is an InputError, but for ValueError, which its caller understands."""
    try:
        return action()
    except (InputError, ValueError):
        raise
    except (Exception, SystemExit) as error:
        raise InputError(where, key, f"raised {type(error).__name__}: {error}") from error


def reason_of(plugin: object, ask: str, action: Callable[[], object]) -> str | None:
    """The reason that a plugin gives against something, or None. Raises InputError where it gives anything else."""
    where = f"{type(plugin).__module__}.{type(plugin).__qualname__}"
    try:
        reason = action()
    except (Exception, SystemExit) as error:
        raise InputError(where, ask, f"raised {type(error).__name__}: {error}") from error
    if reason is not None and not isinstance(reason, str):
        raise InputError(where, ask, f"returned {shown(reason)}", "needed: a sentence, or None")
    return reason
