"""The command line: one file per command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from harness.cli.compare import compare
from harness.cli.doctor import doctor
from harness.cli.export import export
from harness.cli.list import list_
from harness.cli.new import new
from harness.cli.report import report
from harness.cli.run import run
from harness.cli.show import show
from harness.cli.terminal import take_every_character
from harness.cli.try_ import try_
from harness.environment import package_version
from harness.errors import InputError, RecordingError, WorkersLostError


def _print_version(asked: bool) -> None:
    if asked:
        print(f"gradient-harness {package_version('gradient-harness')}")
        raise typer.Exit


app = typer.Typer(
    name="harness",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Benchmark gradient methods for neural SDEs and ODEs: time, peak memory and gradient error."""
    del version  # `_print_version` has printed it


app.command()(run)
app.command(name="try")(try_)
app.command()(report)
app.command()(compare)
app.command(name="list")(list_)
app.command()(show)
app.command()(export)
app.command()(doctor)
app.command()(new)


def main() -> None:
    """Exit codes: 0 done; 1 a case failed, or ran out of time or memory, a record can't be written, the machines that
    measure are gone, or a value rose that must not; 2 the input is wrong; 130 interrupted."""
    take_every_character()
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.detail:
            print(error.detail, file=sys.stderr)
        sys.exit(2)
    except RecordingError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except WorkersLostError as error:
        print(f"error: {error}; the records are kept, and --resume measures the rest", file=sys.stderr)
        sys.exit(1)
