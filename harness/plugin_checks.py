"""What a plugin declares is looked at when it is registered, and what it raises when it is asked is said in a line."""

from __future__ import annotations

import dataclasses
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TypeVar

from harness.backend import AbstractBackend
from harness.backend_facts import Style
from harness.case import CALCULI, NOISES
from harness.errors import InputError, described, shown
from harness.method import AbstractGradientMethod
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, Orders
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


def _is_number(value: object, least: float = -math.inf) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value and abs(value) < 2**63


def _is_count(value: object) -> bool:
    return isinstance(value, int) and _is_number(value, 1)


def _is_cost(value: object) -> bool:
    return _is_number(value, 0)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _or_none(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or holds(value)


def _are(holds: Callable[[object], bool], least: int = 0) -> Callable[[object], bool]:
    """A tuple of at least so many of these."""
    return lambda value: isinstance(value, tuple) and len(value) >= least and all(map(holds, value))


def _maps(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    """A mapping from names to these."""
    return lambda value: (
        isinstance(value, Mapping) and all(map(_is_text, value.keys())) and all(map(holds, value.values()))
    )


def _are_orders(value: object) -> bool:
    return isinstance(value, Orders) and all(map(_or_none(_is_cost), dataclasses.astuple(value)))


def _is_style(value: object) -> bool:
    return isinstance(value, Style) and _is_text(value.marker) and _are(_is_cost)(value.dashes)


def _flags(*attributes: str) -> tuple[Rule, ...]:
    return tuple(Rule(attribute, "True or False", _is_flag) for attribute in attributes)


_are_names = _are(_is_text)
NAME = Rule("name", "a word of letters, digits, _, . and -", _is_named(WORD))
FRAMEWORK = Rule("framework", f"one of {', '.join(FRAMEWORKS)}", _is_one_of(FRAMEWORKS))
SUMMARY = Rule("summary", "a line of text", _is_text)
RULES: dict[type, tuple[Rule, ...]] = {
    AbstractGradientMethod: (
        Rule("name", "backend/approach, each a word of letters, digits, _, . and -", _is_named(f"{WORD}/{WORD}")),
        FRAMEWORK,
        SUMMARY,
        Rule("default_schemes", "a tuple of at least one name", _are(_is_text, 1)),
        *(Rule(attribute, "a tuple of names", _are_names) for attribute in ("samplers", "steppings")),
        Rule("step_seconds", "a number above 0", lambda value: _is_cost(value) and value != 0),
        *_flags("exact", "baseline", "path_at_any_time", "takes_models", "interpolates"),
    ),
    AbstractBackend: (
        NAME,
        FRAMEWORK,
        SUMMARY,
        *(Rule(attribute, "text", _is_text) for attribute in ("homepage", "module")),
        Rule("packages", "a tuple of names", _are(_is_named(WORD))),
        *_flags("native", "compiled"),
        *(
            Rule(attribute, "a number from 0", _is_cost)
            for attribute in ("building_seconds_cpu", "building_seconds_cuda")
        ),
        Rule("floor", "the name of a method, or None", _or_none(_is_text)),
        Rule("comparable", "a mapping from an approach to a tuple of methods", _maps(_are_names)),
        Rule("schemes", "a mapping from none, ito or stratonovich to names by names", _maps(_maps(_is_text))),
        Rule("refused", "a mapping from a scheme to a reason", _maps(_is_text)),
        Rule("style", "a Style of a marker and a tuple of numbers", _is_style),
    ),
    AbstractProblem: (NAME,),
    AbstractScheme: (
        NAME,
        SUMMARY,
        Rule("calculi", f"a tuple of some of {', '.join(CALCULI)}", _are(_is_one_of(CALCULI), 1)),
        Rule("noises", f"a tuple of some of {', '.join(NOISES)}", _are(_is_one_of(NOISES), 1)),
        Rule("evaluations", "a number of evaluations", _is_count),
        Rule("evaluations_of_g", "a number of evaluations, or None", _or_none(_is_count)),
        Rule("orders", "Orders of numbers", _are_orders),
        Rule("order_note", "a line of text", _is_text),
        *_flags("needs_levy_area", "needs_commutative", "reversible", "effectively_symmetric"),
    ),
    AbstractSection: (NAME, Rule("title", "a line of text", _is_text), Rule("order", "a number", _is_number)),
}


def check_class(cls: type, base: type, where: str) -> None:
    """Raises InputError where a method or an attribute isn't what `base` needs, or an option has no usable default."""
    lacking: frozenset[str] = getattr(cls, "__abstractmethods__", frozenset())
    if lacking:
        raise InputError(
            where, cls.__name__, f"lacks {', '.join(sorted(lacking))}", "a base of others has a name that begins with _"
        )
    for rule in RULES[base]:
        value = getattr(cls, rule.attribute, None)
        if not rule.holds(value):
            given = "is missing" if value is None else f"is {shown(value)}"
            raise InputError(where, f"{cls.__name__}.{rule.attribute}", given, f"needed: {rule.needed}")
    if base is AbstractGradientMethod:
        _check_options(cls, where)
    elif base is AbstractProblem:
        _check_options(cls, where, but=GIVEN)


def _check_options(cls: type, where: str, *, but: Sequence[str] = ()) -> None:
    """A suite may leave out each, and writes its value in a line."""
    for option in dataclasses.fields(cls):
        key = f"{cls.__name__}.{option.name}"
        if not option.init or option.name in but:
            continue
        if option.default is dataclasses.MISSING:
            raise InputError(where, key, "has no default", "needed: a plain one, as in `mu = 1.0`")
        if not (option.default is None or _is_flag(option.default) or _is_option(option.default)):
            needed = "a number, a line of text, True, False or None"
            raise InputError(where, key, f"has the default {shown(option.default)}", f"needed: {needed}")


def _is_option(value: object) -> bool:
    return _is_text(value) or _is_number(value)


def check_work(scheme: AbstractScheme, where: str) -> None:
    """Raises InputError where a scheme doesn't say how many evaluations a step takes."""
    for noise in scheme.noises:
        work: object = scheme.work(noise)
        if not (isinstance(work, tuple) and len(work) == 2 and all(map(_is_cost, work))):
            given = f"returned {shown(work)} for noise {noise}"
            raise InputError(where, f"{type(scheme).__name__}.work", given, "needed: two numbers of evaluations")


def check_pairs(backend: AbstractBackend, where: str) -> None:
    """Raises InputError where a backend doesn't say which methods it compares."""
    pairs: object = backend.pairs()
    if not _are(lambda pair: _are_names(pair) and isinstance(pair, tuple) and len(pair) == 2)(pairs):
        key = f"{type(backend).__name__}.pairs"
        raise InputError(where, key, f"returned {shown(pairs)}", "needed: a tuple of pairs of methods")


def guarded(where: object, key: str, action: Callable[[], T]) -> T:
    """What a plugin does. Whatever it raises is an InputError, but for ValueError, which its caller understands."""
    try:
        with redirect_stdout(sys.stderr):
            return action()
    except (InputError, ValueError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise InputError(where, key, f"raised {described(error)}") from error


def reason_of(plugin: object, ask: str, action: Callable[[], object]) -> str | None:
    """The reason that a plugin gives against something, or None. Raises InputError where it gives anything else."""
    where = f"{type(plugin).__module__}.{type(plugin).__qualname__}"
    try:
        with redirect_stdout(sys.stderr):
            reason = action()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise InputError(where, ask, f"raised {described(error)}") from error
    if reason is not None and not isinstance(reason, str):
        raise InputError(where, ask, f"returned {shown(reason)}", "needed: a sentence, or None")
    return reason
