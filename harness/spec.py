"""Names with options, as a suite has them: `neural(width=64)`, `torch/recursive-checkpoint(checkpoints=[2, 4])`."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import re
import types
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping

from harness.errors import one_of, shown
from harness.limits import LARGEST_COUNT
from harness.strict_yaml import read_yaml

KINDS = {int: "an integer", float: "a finite number", bool: "true or false", str: "text", type(None): "null"}


_SPEC = re.compile(r"\s*([^()\s]+)\s*(?:\((.*)\))?\s*", flags=re.DOTALL)


def is_spec(text: str) -> bool:
    """Whether it is a name, with options or without."""
    return _SPEC.fullmatch(text) is not None


def split(spec: str) -> tuple[str, str]:
    """The name and what stands in the parentheses, "" where there are none. Raises ValueError."""
    found = _SPEC.fullmatch(spec)
    if found is None:
        raise ValueError(f"{shown(spec)} is no name with options; write name or name(key=value, …){left_open(spec)}")
    return found[1], found[2] or ""


def left_open(spec: str) -> str:
    """A hint where YAML has cut a name at a comma: `[neural(width=2, channels=3)]` is a list of two texts."""
    return "; within a list a name with several options must be quoted" if spec.count("(") > spec.count(")") else ""


def options_of(cls: type, but: Collection[str] = ()) -> dict[str, object]:
    """The options that a dataclass has, with their defaults; none where it isn't one."""
    if not dataclasses.is_dataclass(cls):
        return {}
    return {f.name: f.default for f in dataclasses.fields(cls) if f.init and f.name not in but}


def parse(name: str, text: str, cls: type, but: Collection[str] = (), *, lists: bool = True) -> list[dict[str, object]]:
    """The values that `text` gives to the options of `cls`, those at their default left out.

    More than one where an option is given a list, as no option is one itself: every combination then; without `lists`
    none may be. Raises ValueError, in a person's words.
    """
    defaults = options_of(cls, but)
    kinds = _kinds(cls, defaults)
    given: dict[str, list[object]] = {}
    for part in _parts(text):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or key not in defaults:
            allowed = one_of(defaults, key) if defaults else "it has none"
            raise ValueError(f"{shown(key)} is no parameter of {name}; {allowed}")
        if key in given:
            raise ValueError(f"the parameter {key} of {name} stands twice")
        several = lists and value.startswith("[") and value.endswith("]")
        texts = list(_parts(value[1:-1])) if several else [value]
        if not texts:
            raise ValueError(f"{key} of {name} must be a value or a list of some, given {shown(value)}")
        given[key] = [_value(f"{key} of {name}", kinds[key], one.strip()) for one in texts]
    found = (dict(zip(given, values, strict=True)) for values in itertools.product(*given.values()))
    return [{key: value for key, value in options.items() if value != defaults[key]} for options in found]


def canonical(name: str, options: Mapping[str, object]) -> str:
    """The spelling that cases carry: options in alphabetical order."""
    listed = ", ".join(f"{key}={options[key]}" for key in sorted(options))
    return f"{name}({listed})" if listed else name


def base(spec: str) -> str:
    """The name without its options."""
    return spec.partition("(")[0]


def _parts(text: str) -> Iterator[str]:
    """The parts between commas that stand in no brackets; empty ones are left out."""
    depth, part = 0, ""
    for letter in text:
        depth += (letter in "[(") - (letter in ")]")
        if letter == "," and depth == 0:
            if part.strip():
                yield part
            part = ""
        else:
            part += letter
    if part.strip():
        yield part


def _kinds(cls: type, defaults: Mapping[str, object]) -> dict[str, tuple[type, ...]]:
    """The types that each option may have: those of its annotation, or that of its default."""
    hints: dict[str, object] = {}
    with contextlib.suppress(Exception):  # a plugin's annotation may name what isn't imported
        hints = typing.get_type_hints(cls)
    found: dict[str, tuple[type, ...]] = {}
    for key, default in defaults.items():
        hint = hints.get(key)
        options: Iterable[object] = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        known = tuple(kind for kind in options if kind in KINDS)
        found[key] = known or (type(default),)
    return found


def _value(what: str, kinds: tuple[type, ...], text: str) -> object:
    """One value, of one of the types. Raises ValueError, in a person's words."""
    value: object = None if type(None) in kinds and text in ("None", "null") else ...
    if value is ...:
        with contextlib.suppress(ValueError, OverflowError):  # a YamlError is a ValueError
            value = read_yaml(text)
            if float in kinds and isinstance(value, int | str) and not isinstance(value, bool):
                value = float(value)  # YAML 1.1 reads 1e-3 as text
    if type(value) not in kinds or (type(value) is float and not math.isfinite(value)):
        words = " or ".join(KINDS.get(kind, f"of type {kind.__name__}") for kind in kinds)
        raise ValueError(f"{what} must be {words}, given {shown(text)}")
    if type(value) is int and abs(value) > LARGEST_COUNT:
        raise ValueError(f"{what} must be an integer from {-LARGEST_COUNT} to {LARGEST_COUNT}, given {shown(value)}")
    return value
