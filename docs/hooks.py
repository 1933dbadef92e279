"""What the site has besides its written pages: the catalogue, the answers, and the published pages."""

from __future__ import annotations

import inspect
from fractions import Fraction
from pathlib import Path

from answers import answers  # beside this file, where MkDocs looks too
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from harness.registry import Registry
from harness.scheme import AbstractScheme
from harness.schemes._runge_kutta import AbstractRungeKutta

PUBLISHED = Path(__file__).parent.parent / "report/published"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is made from the registry and from the runs, so that it can't differ from them, and the runs' pages."""
    files.append(File.generated(config, "catalogue.md", content=catalogue()))
    files.append(File.generated(config, "answers.md", content=answers()))
    for page in sorted(PUBLISHED.glob("*.html")):
        files.append(File.generated(config, f"pages/{page.name}", abs_src_path=str(page)))
    return files


def catalogue() -> str:
    """Every scheme and every problem in the words of its class, and the tableau of a Runge–Kutta scheme."""
    registry = Registry.load()
    parts = ["# Schemes and problems\n\nA suite names these. This page is made from the code.\n\n## Schemes\n"]
    for name, scheme in sorted(registry.schemes.items()):
        parts.append(_entry(name, type(scheme), _tableau(scheme)))
    parts.append("\n## Problems\n")
    for name, problem in sorted(registry.problems.items()):
        parts.append(_entry(name, problem))
    return "\n".join(parts)


def _entry(name: str, of: type, more: str = "") -> str:
    return f"### `{name}`\n\n{inspect.getdoc(of) or ''}\n\n{more}"


def _tableau(scheme: AbstractScheme) -> str:
    """c, a and b of an explicit Runge–Kutta scheme, the weights of its error estimate below them; else nothing."""
    if not isinstance(scheme, AbstractRungeKutta):
        return ""
    stages = len(scheme.b)
    rows = [[_fraction(c), *(_fraction(w) for w in a)] for c, a in zip(scheme.c, scheme.a, strict=True)]
    rows.append(["**b**", *(_fraction(w) for w in scheme.b)])
    cells = [row + [""] * (stages + 1 - len(row)) for row in rows]
    lines = ["| " + " | ".join(["c", *[""] * stages]) + " |", "|" + "---|" * (stages + 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in cells)]) + "\n"


def _fraction(value: float) -> str:
    nearest = Fraction(value).limit_denominator(100_000)
    return str(nearest) if abs(float(nearest) - value) < 1e-12 else f"{value:.6g}"
