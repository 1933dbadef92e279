"""`harness new`: a commented file to start from, which runs as it is."""

from __future__ import annotations

import re
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.terminal import say
from harness.errors import InputError


class Kind(StrEnum):
    """The kinds of files that have a template."""

    model = "model"
    method = "method"
    problem = "problem"
    scheme = "scheme"


class Framework(StrEnum):
    """The framework of a model."""

    torch = "torch"
    jax = "jax"


SUITES = {
    Kind.method: """\
grid:
  - problem: neural
    noise: [none, diagonal]
    method: [mine/my-thing, torch/backprop]
    brownian: shared
    steps: 64
""",
    Kind.problem: """\
grid:
  - problem: my-thing
    noise: [none, diagonal]
    method: [torch/backprop, torch/adjoint, jax/backprop, jax/adjoint]
    steps: 64
""",
    Kind.scheme: """\
grid:
  - problem: neural-commutative
    noise: diagonal
    method: [torch/backprop, torch/checkpoint, jax/backprop]
    scheme: [heun, my-thing]
    steps: 64
""",
}
"""By kind: the grid of the suite that tries the file out."""


def new(
    kind: Annotated[Kind, typer.Argument(help="The kind of file to write.", show_default=False)],
    name: Annotated[str, typer.Argument(help="Its name, such as my_model. The file is NAME.py.", show_default=False)],
    framework: Annotated[Framework, typer.Option("--framework", help="The framework of a model.")] = Framework.torch,
    folder: Annotated[Path, typer.Option("--folder", help="Where to write.")] = Path(),
) -> None:
    """Write a commented file to start from. A plugin gets a suite that measures it, too."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise InputError("new", "", f"given the name {name}", "needed: letters, digits and _, a letter first")
    if kind is not Kind.model and framework is not Framework.torch:
        raise InputError("--framework", "", f"given {framework} for a {kind}", "allowed: only for a model")
    file = "model_jax.py" if framework is Framework.jax else f"{kind}.py"
    template = resources.files("harness.templates").joinpath(file).read_text(encoding="utf-8")
    files = {folder / f"{name}.py": template}
    if kind in SUITES:
        head = f"name: {name}\ntitle: What does my {kind} cost, and how exact is it?\n"
        files[folder / f"{name}.yaml"] = head + SUITES[kind] + f"plugins: [{name}.py]\n"
    for path in files:
        if path.exists():
            raise InputError(path, "", "is there already", "choose another name, or move it away")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(_named(text, name), encoding="utf-8")
        say(f"Wrote {path}.")
    command = f"try {folder / name}.py:{name}" if kind is Kind.model else f"run {folder / name}.yaml"
    say(f"Run it: python -m harness {command}")


def _named(text: str, name: str) -> str:
    """The template with the name in it: as a function, as a class, and as in a suite."""
    words = [word for word in re.split(r"_+", name) if word]
    camel = "".join(word[0].upper() + word[1:] for word in words)
    return text.replace("my_thing", name).replace("MyThing", camel).replace("my-thing", "-".join(words).lower())
