"""Whatever a run's files hold, each command that reads them shows the run or refuses it in one line."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import command
from executors import recorded
from fuzzing import FULL, fuzz, time_limit
from hypothesis import given
from hypothesis import strategies as st

from harness import session
from harness.errors import LONGEST_MESSAGE, InputError
from harness.store import ABOUT, RECORDS, Run

METHODS = ["torch/floor", "torch/backprop", "torch/adjoint", "torchsde/backprop", "jax/backprop"]
SUITE = {
    "name": "toy",
    "title": "Toys",
    "grid": [{"problem": "neural", "noise": ["none", "diagonal"], "method": METHODS, "dim": 2, "batch": 2, "steps": 8}],
    "report": [{"figure": "scaling"}, {"figure": "points", "y": "gradient_error_theta_median", "facet": "noise"}],
    "tables": ["speedups", "orders", "exponents", "exactness"],
}
COMMANDS = [
    ("show", "toy"),
    ("export", "toy"),
    ("export", "toy", "--format", "parquet", "--to", "records.parquet"),
    ("report", "toy"),
    ("show", "toy", "--repair"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run that all examples start from, in `results/toy/run`."""
    folder = tmp_path_factory.mktemp("whole")
    run = recorded(SUITE, folder)
    run.folder.rename(run.folder.parent / "run")
    return folder


def run_in(folder: Path) -> Run:
    return Run(folder / "results/toy/run")


NUMBERS = [0, -1, 1, 7, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 1e400, 1e-320, -0.5, 1e308, True, False]
TEXTS = ["", " ", "x" * 3000, "\x00", "\x1b[2J", "\u202e", "\ud800", "<b>", "[/bold]", "$x_{$", "a/b", "../x", "=1+1"]
STORED = ["ok", "failed", "unsupported", "nan", "torch/backprop", "torch/floor", "none", "diagonal", "adaptive"]
ODD: list[Any] = [None, *NUMBERS, float("nan"), *TEXTS, *STORED, [], {}, [[]], [None], [1, "a"], {"a": 1}, {"": {}}]
DEEP: Any = []
for _ in range(60):
    DEEP = [DEEP]
odd = st.one_of(st.sampled_from([*ODD, DEEP]), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.floats()))


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container with every key or index of it, as deep as they go."""
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree))) if isinstance(tree, list) else []
    return [(tree, key) for key in keys] + [place for key in keys for place in places(tree[key])]


def changed(draw: st.DrawFn, tree: Any) -> Any:
    """The tree with something removed, replaced, wrapped, added or of another type."""
    found = places(tree)
    if not found:
        return draw(odd)
    within, key = draw(st.sampled_from(found))
    change = draw(st.sampled_from(["replace", "replace", "replace", "remove", "wrap", "text", "add", "other"]))
    if change == "remove":
        del within[key]
    elif change == "wrap":
        within[key] = draw(st.sampled_from([[within[key]], {"a": within[key]}]))
    elif change == "text":
        within[key] = str(within[key])
    elif change == "add" and isinstance(within, dict):
        within[draw(st.sampled_from([*TEXTS, "a", "pending", "machine"]))] = draw(odd)
    elif change == "other":
        other, place = draw(st.sampled_from(found))
        if key in (within if isinstance(within, dict) else range(len(within))) and place in (
            other if isinstance(other, dict) else range(len(other))
        ):
            within[key] = json.loads(json.dumps(other[place]))
    else:
        within[key] = draw(odd)
    return tree


def changed_json(draw: st.DrawFn, text: bytes) -> bytes:
    """JSON with one or two places of it changed."""
    tree = json.loads(text)
    for _ in range(draw(st.integers(1, 2))):
        tree = changed(draw, tree)
    return json.dumps(tree).encode()


def changed_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes flipped, cut off, taken out, put in or repeated."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.integers(start, min(len(content), start + 40)))
        change = draw(st.sampled_from(["flip", "flip", "cut", "take", "put", "repeat"]))
        if change == "flip":
            flipped = bytes(
                byte ^ draw(st.sampled_from([1, 2, 16, 32, 128, 255])) for byte in content[start : start + 1]
            )
            content = content[:start] + flipped + content[start + 1 :]
        elif change == "cut":
            content = content[:start]
        elif change == "take":
            content = content[:start] + content[stop:]
        elif change == "put":
            content = content[:start] + draw(st.binary(max_size=8)) + content[start:]
        else:
            content = content[:stop] + content[start:]
    return content


Change = Callable[[st.DrawFn, Run], None]


def change_records(draw: st.DrawFn, run: Run) -> None:
    """Change one to three of the records, or put one where another is."""
    path = run.folder / RECORDS
    lines = path.read_bytes().splitlines()
    for _ in range(draw(st.integers(1, 3))):
        number = draw(st.integers(0, len(lines) - 1))
        lines[number] = changed_json(draw, lines[draw(st.integers(0, len(lines) - 1))])
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def change_all_records(draw: st.DrawFn, run: Run) -> None:
    """Give all of the records another value in the same one or two columns."""
    path = run.folder / RECORDS
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    for _ in range(draw(st.integers(1, 2))):
        name, value = draw(st.sampled_from(sorted(rows[0]))), draw(odd)
        rows = [row | {name: [value] * len(row[name]) if isinstance(row[name], list) else value} for row in rows]
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def change_about(draw: st.DrawFn, run: Run) -> None:
    """Change one or two places of run.json."""
    path = run.folder / ABOUT
    path.write_bytes(changed_json(draw, path.read_bytes()))


def change_bytes(draw: st.DrawFn, run: Run) -> None:
    """Change bytes of a file."""
    path = run.folder / draw(st.sampled_from([ABOUT, RECORDS]))
    path.write_bytes(changed_bytes(draw, path.read_bytes()))


CHANGES: list[Change] = [change_records, change_all_records, change_about, change_bytes]


@st.composite
def changes(draw: st.DrawFn, run: Run) -> str:
    """Change a run, and say how."""
    change = draw(st.sampled_from(CHANGES))
    change(draw, run)
    return change.__name__


@fuzz(usual=25, full=300)
@given(data=st.data())
def test_a_changed_store_is_shown_or_refused(whole: Path, data: st.DataObject):
    folder = whole.parent / "changed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    data.draw(changes(run_in(folder)), "change")
    for arguments in COMMANDS if FULL else [data.draw(st.sampled_from(COMMANDS), "command")]:
        check(folder, arguments)
    check_resumed(folder)


def test_the_page_of_the_whole_run_has_all_sections(whole: Path):
    assert command(whole, "report", "toy").returncode == 0
    assert "could not be" not in (whole / "report/toy.html").read_text()


@pytest.mark.parametrize("name", [ABOUT, RECORDS])
@pytest.mark.parametrize("instead", ["nothing", "an empty file", "a folder", "a link to itself"])
def test_a_store_that_lacks_a_file(whole: Path, tmp_path: Path, name: str, instead: str):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    path = run_in(tmp_path).folder / name
    path.unlink()
    if instead == "an empty file":
        path.touch()
    elif instead == "a folder":
        path.mkdir()
    elif instead == "a link to itself":
        path.symlink_to(path)
    for arguments in COMMANDS:
        check(tmp_path, arguments)
    check_resumed(tmp_path)


def check_resumed(folder: Path) -> None:
    """What the run lacks is found, or the run is refused. Nothing is measured."""
    planned = session.plan(session.resolve(session.read(folder / "toy.yaml")))
    with time_limit(), contextlib.suppress(InputError):
        session.open_run(planned, results=folder / "results", resume=True).lock.release()


def check(folder: Path, arguments: tuple[str, ...]) -> None:
    """It succeeds, or says what is wrong in one printable line."""
    with time_limit():
        done = command(folder, *arguments)
    assert done.returncode in (0, 1, 2), arguments
    assert "Traceback" not in done.stdout + done.stderr
    if done.returncode == 2:
        assert done.stderr.startswith("error: ")
        assert done.stderr.endswith("\n")
        assert done.stderr[:-1].isprintable()
        assert len(done.stderr) < LONGEST_MESSAGE + 300
    elif "--repair" in arguments:
        assert command(folder, "show", "toy").returncode == 0
