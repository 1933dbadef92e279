"""`harness list`: what can be named in a suite, and what a run and its page hold."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from harness.case import AXES
from harness.cli.terminal import say
from harness.column import REQUIRED, Column, statistics
from harness.columns import COLUMNS, FACTS, MACHINE, RATIOS, ends_of
from harness.environment import package_version
from harness.errors import InputError, one_of
from harness.record import STORED
from harness.registry import PROBLEM_FIELDS, Registry
from harness.shipped import shipped_suites
from harness.spec import options_of
from harness.suite import read_suite

Row = dict[str, object]


def list_(
    kind: Annotated[
        str,
        typer.Argument(
            help="methods, backends, problems, schemes, suites, axes, columns or sections.", show_default=False
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As a table in Markdown, for documents.")] = False,
    plugin: Annotated[
        list[str] | None,
        typer.Option("--plugin", help="A plugin file or module to load first. May be repeated."),
    ] = None,
) -> None:
    """List methods, backends, problems, schemes, suites, axes, columns or sections."""
    listers: dict[str, Callable[[Registry], list[Row]]] = {
        "methods": _methods,
        "backends": _backends,
        "problems": _problems,
        "schemes": _schemes,
        "suites": _suites,
        "axes": lambda _: axes(),
        "columns": lambda _: columns(),
        "sections": _sections,
    }
    if kind not in listers:
        raise InputError("list", "", f"{kind!r} can't be listed", one_of(listers, kind))
    rows = listers[kind](Registry.load(tuple(plugin or ())))
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    if as_markdown:
        print(markdown(rows))
        return
    shown = PRINTED.get(kind, ("name", "summary"))
    widths = {key: max((len(str(row[key])) for row in rows), default=0) for key in shown[:-1]}
    for row in rows:
        say("  ".join([*(f"{row[key]!s:{width}}" for key, width in widths.items()), str(row[shown[-1]])]))


PRINTED = {"axes": ("name", "default", "summary"), "columns": ("name", "kind", "unit", "summary")}
"""The keys that are printed, by kind. Other kinds print the name and the summary."""


def markdown(rows: Sequence[Row]) -> str:
    """A table with a column for each key. Names are set as code."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_cell(*item) for item in row.items()] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |".replace("  ", " ") for cells in lines)


def _cell(key: str, value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value}`" if key == "name" else str(value).replace("|", "\\|")


def axes() -> list[Row]:
    """The axes of a suite's grid."""
    return [
        {
            "name": axis.name,
            "summary": axis.meaning,
            "allowed": axis.choices,
            "default": _default(axis),
        }
        for axis in (COLUMNS[name] for name in AXES)
    ]


def columns() -> list[Row]:
    """The stored columns with what is computed from each, and what is computed from several records."""
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "unit": column.unit,
            "summary": column.meaning,
            "computed": [made.name for made in (ends_of(column) if column in RATIOS else statistics(column))],
            "figures": column.roles,
        }
        for column in (*STORED, FACTS, MACHINE, *RATIOS)
    ]


def _default(axis: Column) -> str:
    """In words; a dash where a suite must give the axis."""
    if axis.default is REQUIRED:
        return "–"
    return axis.default_words or (axis.default if isinstance(axis.default, str) else f"{axis.default:g}")


def _sections(registry: Registry) -> list[Row]:
    return [{"name": section.name, "summary": section.title, "order": section.order} for section in registry.sections()]


def _methods(registry: Registry) -> list[Row]:
    return [
        {
            "name": name,
            "summary": m.summary + _listed(options_of(type(m))),
            "framework": m.framework,
            "exact": m.exact,
            "baseline": m.baseline,
            "options": options_of(type(m)),
        }
        for name, m in sorted(registry.methods.items())
    ]


def _backends(registry: Registry) -> list[Row]:
    facts = registry.backend_facts()
    return [
        {
            "name": name,
            "summary": backend.summary,
            "framework": backend.framework,
            "native": backend.native,
            "homepage": backend.homepage,
            "packages": {package: package_version(package) for package in backend.packages},
            "floor": facts[name].floor,
            "forward": facts[name].forward,
            "comparable": backend.comparable,
            "schemes": backend.schemes,
        }
        for name, backend in sorted(registry.backends.items())
    ]


def _problems(registry: Registry) -> list[Row]:
    rows: list[Row] = []
    for name, cls in sorted(registry.problems.items()):
        fields = options_of(cls, PROBLEM_FIELDS)
        words = " ".join((cls.__doc__ or "").strip().partition("\n\n")[0].split("\n")[0].split())
        rows.append({"name": name, "summary": words + _listed(fields), "parameters": fields})
    return rows


def _schemes(registry: Registry) -> list[Row]:
    return [
        {
            "name": name,
            "summary": s.summary,
            "calculi": s.calculi,
            "noises": s.noises,
            "orders": dataclasses.asdict(s.orders),
            "evaluations": {noise: s.work(noise) for noise in s.noises},
        }
        for name, s in sorted(registry.schemes.items())
    ]


def _suites(registry: Registry) -> list[Row]:
    """Those in the folder suites/ here, and those that come with the package."""
    del registry
    rows: list[Row] = []
    here = {path.stem: path for path in sorted(Path("suites").glob("*.yaml"))}
    for path in (shipped_suites() | here).values():
        suite, _ = read_suite(path)
        rows.append({"name": suite.name, "summary": suite.title, "path": str(path)})
    return rows


def _listed(options: Mapping[str, object]) -> str:
    """What may be set, with its default."""
    return f" [{', '.join(f'{k}={v}' for k, v in options.items())}]" if options else ""
