"""`harness try`: which gradient method suits your own model?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness import session
from harness.cli.page import exit_code, write_page
from harness.cli.progress import make_listener
from harness.cli.show import print_failures
from harness.cli.terminal import say, tell
from harness.errors import InputError
from harness.grammar import as_name
from harness.lazy import lazily
from harness.models.choice import Asked
from harness.models.written import written
from harness.report.format import plural
from harness.trial import Prepared, prepare, run_prepared
from harness.written import refuse_unwritable

if TYPE_CHECKING:
    from harness.cli import trial_table as _trial_table
    from harness.report import recommendation as _recommendation
else:
    _trial_table, _recommendation = lazily("harness.cli.trial_table", "harness.report.recommendation")


def try_(
    model: Annotated[
        str,
        typer.Argument(
            metavar="FILE.py:NAME",
            help="The model: a function decorated with @harness.torch.model.",
            show_default=False,
        ),
    ],
    steps: Annotated[
        str, typer.Option("--steps", help="Step counts, such as 64,256. Default: around the model's dt.")
    ] = "",
    dt: Annotated[str, typer.Option("--dt", help="Step lengths, such as 0.01,0.001.")] = "",
    methods: Annotated[
        str,
        typer.Option("--methods", help="Methods or globs, such as torch/*,torchsde/adjoint. Default: all that fit."),
    ] = "",
    measure: Annotated[
        str, typer.Option("--measure", help="Some of time,memory,error,adjoint_error. Default: the first three.")
    ] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUES", help="A setting of the model, such as batch=64,128. May be repeated."
        ),
    ] = None,
    minutes: Annotated[float, typer.Option("--minutes", help="About how long it may take.")] = 5.0,
    seed: Annotated[int, typer.Option("--seed", help="The seed of parameters, data and paths.")] = 0,
    device: Annotated[str, typer.Option("--device", metavar="cpu|cuda", help="Where the model runs.")] = "cpu",
    write_suite: Annotated[
        Path | None,
        typer.Option("--write-suite", help="Write the suite to this file, to edit and run it; measure nothing."),
    ] = None,
    results: Annotated[Path, typer.Option("--results", help="The folder of the runs.")] = Path("results"),
    report: Annotated[Path, typer.Option("--report", help="The folder of the pages.")] = Path("report"),
) -> None:
    """Measure which gradient method suits your own model, and recommend one."""
    results, report = results.absolute(), report.absolute()  # a model's file may change the current folder
    spec = _spec(model, set_ or ())
    asked = Asked(
        name=_name(spec),
        problem=spec,
        steps=tuple(_integers("--steps", steps)),
        dt=tuple(_numbers("--dt", dt)),
        methods=tuple(_items(methods)),
        measure=tuple(_items(measure)),
        seed=seed,
        device=device,
        minutes=minutes,
    )
    prepared = prepare(asked, Path.cwd())
    if write_suite is not None:
        write_suite.parent.mkdir(parents=True, exist_ok=True)
        write_suite.write_text(written(prepared.suite, _seen_from(spec, write_suite)), encoding="utf-8")
        say(f"Wrote {write_suite}. Run it: python -m harness run {write_suite}")
        return
    refuse_unwritable(report, "--report")
    console = Console(stderr=True)
    _print_found(prepared, console)
    opened = session.open_run(prepared.planned, results=results)
    total = len(opened.work.cases) + len(opened.work.unsupported)
    with make_listener(console, opened.expected_seconds, total) as listener:
        executed = run_prepared(prepared, opened, listener)
    has_page = write_page(executed, report, console)
    frame = executed.run.frame()
    _trial_table.print_table_of(frame)
    print_failures(executed.run)
    if (left := opened.left(executed)) and not executed.interrupted:
        tell(console, f"{left} of {plural(total, 'case')} were not begun: the {minutes:g} min of --minutes were over")
    say()
    for sentence in _recommendation.sentences(frame):
        say(f"- {sentence}")
    raise typer.Exit(exit_code(executed, has_page))


def _print_found(prepared: Prepared, console: Console) -> None:
    """Print what the harness found out about the model, and what it will measure."""
    for name, facts in prepared.models.items():
        tell(console, f"{name}: {facts.described}", "bold")
        for note in facts.notes:
            tell(console, f"  {note}")
    for note in prepared.notes:
        tell(console, note)
    plan = prepared.planned.plan
    tell(console, f"{plural(len(plan.cases), 'case')}, about {max(1, round(prepared.seconds / 60))} min")


def _spec(model: str, settings: list[str] | tuple[str, ...]) -> str:
    """`file.py:name(batch=[64, 128])` of the argument and the options. Raises InputError."""
    if ":" not in model:
        raise InputError("try", "", f"given {model}", "needed: FILE.py:NAME or package.module:NAME")
    base, _, text = model.partition("(")
    parts = [text.rstrip(")")] if text.rstrip(")").strip() else []
    for given in settings:
        name, equals, values = given.partition("=")
        if not equals or not name.strip() or not values.strip():
            raise InputError("--set", "", f"given {given}", "needed: NAME=VALUE or NAME=VALUE,VALUE")
        value = values.strip()
        parts.append(f"{name.strip()}={value if len(_items(value)) == 1 else '[' + value + ']'}")
    return f"{base}({', '.join(parts)})" if parts else base


def _name(spec: str) -> str:
    """The suite's name: the model's name in the characters that a suite's name may have."""
    return as_name(spec.partition("(")[0].rpartition(":")[2])


def _seen_from(spec: str, suite: Path) -> str:
    """The model, named relative to the folder of a suite."""
    place, colon, rest = spec.partition(":")
    if not place.endswith(".py"):
        return spec
    return f"{os.path.relpath(place, suite.parent)}{colon}{rest}"


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _integers(option: str, text: str) -> list[int]:
    found = []
    for item in _items(text):
        if not item.isascii() or not item.isdigit() or int(item) < 1:
            raise InputError(option, "", f"given {item}", "needed: whole numbers of at least 1, separated by commas")
        found.append(int(item))
    return found


def _numbers(option: str, text: str) -> list[float]:
    found = []
    for item in _items(text):
        try:
            number = float(item)
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf"):
            raise InputError(option, "", f"given {item}", "needed: numbers above 0, separated by commas")
        found.append(number)
    return found
