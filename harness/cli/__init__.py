"""The command line: one file per command."""

from __future__ import annotations

import sys

import typer

from harness.cli.doctor import doctor
from harness.cli.list import list_
from harness.cli.new import new
from harness.cli.report import report
from harness.cli.run import run
from harness.cli.show import show
from harness.cli.terminal import take_every_character
from harness.cli.try_ import try_
from harness.errors import InputError

app = typer.Typer(
    name="harness",
    help="Benchmark gradient methods for neural SDEs and ODEs: time, peak memory and gradient error.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(run)
app.command(name="try")(try_)
app.command()(report)
app.command(name="list")(list_)
app.command()(show)
app.command()(doctor)
app.command()(new)


def main() -> None:
    """Exit codes: 0 done; 1 a case failed or ran out of time or memory; 2 the input is wrong; 130 interrupted."""
    take_every_character()
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.detail:
            print(error.detail, file=sys.stderr)
        sys.exit(2)
