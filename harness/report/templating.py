"""HTML from the templates beside this module. What is put into them is escaped, unless it is Markup."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2
from markupsafe import Markup

ASSETS = Path(__file__).with_name("assets")


def render(template: str, **content: object) -> str:
    """The template with its content. Raises where the template uses a name that isn't given."""
    return _environment().get_template(template).render(**content)


def script(*names: str) -> Markup:
    """The assets of these names, one after the other, as the content of a script element."""
    return Markup("\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names))


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report"), autoescape=True, undefined=jinja2.StrictUndefined
    )
