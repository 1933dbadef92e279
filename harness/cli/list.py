"""`harness list`: what can be named in a suite."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from harness.environment import package_version
from harness.errors import InputError, one_of
from harness.registry import PROBLEM_FIELDS, Registry
from harness.spec import options_of

Row = dict[str, object]


def list_(
    kind: Annotated[str, typer.Argument(help="methods, backends, problems, schemes or suites.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    plugin: Annotated[
        list[str] | None,
        typer.Option("--plugin", help="A plugin file or module to load first. May be repeated."),
    ] = None,
) -> None:
    """List methods, backends, problems, schemes or suites."""
    listers: dict[str, Callable[[Registry], list[Row]]] = {
        "methods": _methods,
        "backends": _backends,
        "problems": _problems,
        "schemes": _schemes,
        "suites": _suites,
    }
    if kind not in listers:
        raise InputError("list", "", f"{kind!r} can't be listed", one_of(listers, kind))
    rows = listers[kind](Registry.load(tuple(plugin or ())))
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        print(f"{row['name']:{width}}  {row['summary']}")


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
    """Those in the folder suites/ here."""
    del registry
    from harness.suite import read_suite

    rows: list[Row] = []
    for path in sorted(Path("suites").glob("*.yaml")):
        suite, _ = read_suite(path)
        rows.append({"name": suite.name, "summary": suite.title, "path": str(path)})
    return rows


def _listed(options: Mapping[str, object]) -> str:
    """What may be set, with its default."""
    return f" [{', '.join(f'{k}={v}' for k, v in options.items())}]" if options else ""
