"""People's text is shown on a terminal as it was written, whatever it is."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest
from many_records import run_of
from rich.console import Console

from harness.cli import main
from harness.cli.progress import make_listener
from harness.cli.show import print_failures, print_records
from harness.cli.terminal import say, take_every_character, tell
from harness.record import Record
from harness.store import new_run

MARKUP = "see [/foo] [red]x[/red] \\[bold]"
COMMANDS = "a\x1b[2Jb\u202ec\x00\ud800"
ESCAPED = "a\\x1b[2Jb\\u202ec\\x00\\ud800"


@pytest.fixture
def console() -> Console:
    """A terminal without colours."""
    return Console(file=io.StringIO(), force_terminal=True, color_system=None, width=200)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_markup_is_shown_and_not_obeyed(console):
    tell(console, MARKUP, "bold", MARKUP)
    assert written(console) == MARKUP * 2 + "\n"


def test_commands_to_a_terminal_are_escaped(console, capsys):
    tell(console, COMMANDS)
    say(f"{COMMANDS}\nnext line")
    assert written(console) == ESCAPED + "\n"
    assert capsys.readouterr().out == ESCAPED + "\nnext line\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_failing_case_may_have_any_name(make_case, terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, color_system=None, width=200)
    case = replace(make_case(), method="a/[/bold]")
    with make_listener(console, {case: 1.0}, 1) as listener:
        listener.doing(MARKUP)
        listener.done(case, "failed")
    assert "failed a/[/bold]" in written(console)


def test_tables_and_reasons_are_plain(tmp_path, make_case, capsys):
    run, case = new_run(tmp_path, "tiny"), replace(make_case(), method=f"a/{MARKUP}")
    run.add_execution("tiny", {})
    reason = COMMANDS.replace("\ud800", "")
    run.append(Record(run=run.id, suite="tiny", case=case, status="failed", reason=reason))
    print_failures(run)
    print_records(run)
    failure, _, row = capsys.readouterr().out.splitlines()
    assert failure == f"failed: a/{MARKUP} heun (1 case): a\\x1b[2Jb\\u202ec\\x00"
    assert row.startswith(f"a/{MARKUP}")


def test_cases_that_failed_for_one_reason_have_one_line(tmp_path, make_case, capsys):
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})
    cases = [replace(make_case(), method=f"a/{k}", steps=n) for k in range(8) for n in (16, 32)]
    for case in cases:
        run.append(Record(run=run.id, suite="tiny", case=case, status="failed", reason="no reference"))
    run.append(Record(run=run.id, suite="tiny", case=replace(cases[0], steps=64), status="timeout", reason="too slow"))
    print_failures(run)
    assert capsys.readouterr().out.splitlines() == [
        "failed: a/0 heun, a/1 heun, a/2 heun, a/3 heun, a/4 heun, a/5 heun and 2 more (16 cases): no reference",
        "timeout: a/0 heun (1 case): too slow",
    ]


def test_a_terminal_may_lack_characters(monkeypatch):
    taken = io.BytesIO()
    stream = io.TextIOWrapper(taken, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    take_every_character()
    say("θ – ½")
    stream.flush()
    assert taken.getvalue() == b"\\u03b8 \\u2013 \\xbd\n"


@pytest.mark.parametrize(("encoding", "written"), [("ascii", "0.963\\xd7, "), ("latin-1", "0.963×, ")])
def test_a_run_is_shown_where_the_terminal_lacks_characters(tmp_path, monkeypatch, encoding, written):
    """Its table has µ, its sentences have a times sign."""
    run = run_of(tmp_path, 12)
    taken = io.BytesIO()
    stream = io.TextIOWrapper(taken, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "argv", ["harness", "show", str(run.folder)])
    with pytest.raises(SystemExit) as end:
        main()
    stream.flush()
    assert not end.value.code
    said = taken.getvalue().decode(encoding)
    assert "12 ok" in said
    assert written in said
