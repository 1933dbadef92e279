"""What docs/security.md says, statement by statement."""

from __future__ import annotations

import ast
import base64
import csv
import gzip
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import command
from executors import recorded
from fuzzing import time_limit

import harness
from harness.cli.imports import imports_of
from harness.errors import InputError, RecordingError
from harness.frames import load
from harness.grammar import as_name
from harness.lock import Lock
from harness.record import Measured, Record
from harness.report.figure_element import elements
from harness.report.read import read
from harness.runner.child import open_log
from harness.store import ABOUT, DAMAGED, RECORDS, Run, new_run
from harness.suite import make_suite, parse_suite

HARNESS = Path(harness.__file__).parent
SUITE: dict[str, Any] = {
    "name": "toy",
    "title": "Toys",
    "grid": [{"problem": "linear", "noise": "none", "method": ["torch/floor", "jax/floor"]}],
    "measure": ["time"],
}
LEAVES_A_MARK = """
from pathlib import Path
from harness import AbstractSection

Path(__file__).with_name("mark").touch()

class Mine(AbstractSection):
    name = "mine"
    title = "Mine"
    order = 15

    def html(self, measurements):
        return "<p>mine</p>"
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run in `results/toy`."""
    return recorded(SUITE, tmp_path)


def naming(run: Run, plugin: str) -> None:
    """Make the run's suite name a plugin, as somebody who gives the folder away may."""
    about = run.about()
    about["executions"][-1]["suite"]["plugins"] = [plugin]
    (run.folder / ABOUT).write_text(json.dumps(about))


DANGEROUS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "socket", "urllib", "http", "requests"}
CALLS = {"eval", "exec", "compile", "read_pickle", "unsafe_load", "full_load", "system", "popen"}


def test_nothing_is_unpickled_or_evaluated_and_nothing_asks_the_network():
    """But for what children send, which multiprocessing pickles, and what a Dask cluster sends, which is trusted."""
    found: list[str] = []
    for path in HARNESS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [
                    alias.name.partition(".")[0] for alias in node.names if alias.name.partition(".")[0] in DANGEROUS
                ]
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                names = [node.module] if node.module.partition(".")[0] in DANGEROUS else []
            elif isinstance(node, ast.Call):
                names = dangerous(node)
            found += [f"{path.relative_to(HARNESS)}:{getattr(node, 'lineno', 0)}: {name}" for name in names]
    of_a_cluster = re.compile(r"cluster/(surveys|execution)\.py:\d+: pickle")
    assert [one for one in found if not of_a_cluster.fullmatch(one)] == []


def dangerous(call: ast.Call) -> list[str]:
    """The name of a function that runs code it is given, as the call has it."""
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    function = ast.unparse(call.func)
    bare = function.rpartition(".")[2]
    wrong = (
        (bare in CALLS and function not in ("re.compile",) and not function.startswith(("torch.", "lowered", "jax.")))
        or function in ("yaml.load", "torch.load")
        or (function == "np.load" and given.get("allow_pickle") != "False")
        or given.get("shell") == "True"
    )
    return [function] if wrong else []


@pytest.mark.parametrize("plugin", ["mine.py", "{folder}/mine.py", "mine_module"])
def test_reading_a_run_imports_no_plugin(tmp_path: Path, run: Run, plugin: str, monkeypatch: pytest.MonkeyPatch):
    """Whether it is beside the run, anywhere else, or a module in the current folder."""
    monkeypatch.syspath_prepend(run.folder)
    for name in ("mine.py", "mine_module.py"):
        (run.folder / name).write_text(LEAVES_A_MARK)
    naming(run, plugin.format(folder=run.folder))
    for arguments in (("show", "toy"), ("export", "toy"), ("report", "toy"), ("show", "toy", "--repair")):
        done = command(tmp_path, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments
    load(run.folder)
    assert not (run.folder / "mark").exists()
    page = (tmp_path / "report/toy.html").read_text()
    assert "they were not imported" in page
    assert "The option --plugins does that" in page
    assert "<p>mine</p>" not in page
    done = command(tmp_path, "report", "toy", "--plugins")
    assert done.returncode == 0
    assert done.stderr.startswith("importing ")
    assert plugin.format(folder="").strip("/") in done.stderr
    assert "<p>mine</p>" in (tmp_path / "report/toy.html").read_text()
    assert (run.folder / "mark").exists()
    assert command(tmp_path, "show", "toy", "--plugins").stderr.startswith("importing ")


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system [touch mark]", "!!python/name:os.system", "!!python/module:antigravity"]
)
def test_a_tag_that_makes_an_object_is_refused(tmp_path: Path, tag: str):
    text = f"name: toy\ntitle: {tag}\ngrid: [{{problem: linear, noise: none, method: torch/floor}}]\n"
    with pytest.raises(InputError, match="the tag '!!python"):
        parse_suite(text, tmp_path / "toy.yaml")


def test_a_run_says_first_what_it_imports(tmp_path: Path):
    (tmp_path / "toy.yaml").write_text(json.dumps(SUITE | {"plugins": ["mine.py", "mine.py"]}))
    (tmp_path / "mine.py").write_text(f"import sys\nprint('mine', file=sys.stderr)\n{LEAVES_A_MARK}")
    done = command(tmp_path, "run", "toy.yaml", "--dry-run")
    assert done.returncode == 0
    assert done.stderr.startswith("importing mine.py\nmine\n")
    assert "importing" not in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"mark", "mine.py", "toy.yaml"}  # no bytecode


def test_models_are_among_what_is_imported(tmp_path: Path):
    grid = [
        {"problem": ["mine.py:f(width=2)", "package.module:g", "linear"], "noise": "none", "method": "torch/*"},
        {"problem": "../other.py:h", "method": "torch/*"},
    ]
    suite = make_suite(SUITE | {"grid": grid, "plugins": ["plugin.py", "a.module"]}, tmp_path / "toy.yaml")
    assert imports_of(suite, tmp_path) == [
        *(str(tmp_path / "plugin.py"), "a.module", str(tmp_path / "mine.py")),
        *("package.module", str(tmp_path.parent / "other.py")),
    ]


def test_a_suite_without_plugins_says_nothing(tmp_path: Path):
    (tmp_path / "toy.yaml").write_text(json.dumps(SUITE))
    assert command(tmp_path, "run", "toy.yaml", "--dry-run").stderr == ""


NAMES = [
    "../x",
    "/x",
    "a/b",
    "..",
    ".",
    "",
    "a\0b",
    "a\nb",
    "toy\n",
    "x" * 101,
    "x" * 255,
    "-x",
    "a.b",
    "ä",
    "a b",
    "a\\b",
    "~",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str):
    home = tmp_path / "home"
    home.mkdir()
    (home / "toy.yaml").write_text(json.dumps(SUITE | {"name": name}))
    done = command(home, "run", "toy.yaml", "--results", str(home / "results"))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["home", "toy.yaml"]


def test_a_run_s_own_file_cannot_name_another_folder(tmp_path: Path, run: Run):
    about = run.about()
    about["executions"][-1]["suite"]["name"] = "../elsewhere"
    (run.folder / ABOUT).write_text(json.dumps(about))
    done = command(tmp_path, "report", "toy")
    assert done.returncode == 2
    assert "name: given '../elsewhere'" in done.stderr
    assert not list(tmp_path.rglob("elsewhere*"))


@pytest.mark.parametrize("text", ["f", "_f", "é", "index", "Index", "-", "x" * 300, "a.b/c", ""])
def test_the_name_of_a_model_s_suite_is_allowed(tmp_path: Path, text: str):
    assert make_suite(SUITE | {"name": as_name(text)}, tmp_path / "toy.yaml").name == as_name(text)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A file elsewhere, whose last line is torn. It stays as it is."""
    path = tmp_path / "target"
    path.write_bytes(b"mine\nand torn")
    yield path
    assert path.read_bytes() == b"mine\nand torn"


def test_a_link_in_place_of_the_records_is_not_written_through(run: Run, target: Path, make_case):
    (run.folder / RECORDS).unlink()
    (run.folder / RECORDS).symlink_to(target)
    with pytest.raises(RecordingError, match="a record can't be written"):
        run.append(Record(run=run.id, suite="toy", case=make_case(), status="failed"))


def test_a_link_in_place_of_the_lock_is_not_written_through(run: Run, target: Path):
    (run.folder / ".lock").unlink()
    (run.folder / ".lock").symlink_to(target)
    with pytest.raises(InputError, match="can't be written"):
        Lock(run.folder)


def test_a_link_in_place_of_damaged_lines_is_not_written_through(run: Run, target: Path):
    (run.folder / DAMAGED).symlink_to(target)
    records = b"5\n" + (run.folder / RECORDS).read_bytes()
    (run.folder / RECORDS).write_bytes(records)
    with pytest.raises(InputError, match="can't be written"):
        run.repair()
    assert (run.folder / RECORDS).read_bytes() == records


def test_a_link_in_place_of_a_log_is_not_written_through(run: Run, target: Path):
    (run.folder / "children.log").symlink_to(target)
    opened = open_log(str(run.folder / "children.log"))
    assert os.readlink(f"/proc/self/fd/{opened}") == os.devnull
    os.close(opened)


def test_links_in_place_of_what_is_replaced_as_a_whole(tmp_path: Path, run: Run, target: Path):
    """run.json and the page: the link is gone, and what it led to stays."""
    execution = run.about()["executions"][0]
    (tmp_path / "about").write_bytes((run.folder / ABOUT).read_bytes())
    (run.folder / ABOUT).unlink()
    (run.folder / ABOUT).symlink_to(tmp_path / "about")
    run.add_execution("toy", execution)
    assert len(run.about()["executions"]) == 2
    assert len(json.loads((tmp_path / "about").read_text())["executions"]) == 1
    (tmp_path / "report").mkdir()
    (tmp_path / "report/toy.html").symlink_to(target)
    assert command(tmp_path, "report", "toy").returncode == 0
    assert not (tmp_path / "report/toy.html").is_symlink()


def test_a_link_to_a_folder_is_followed(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    assert new_run(tmp_path / "results", "toy").folder.resolve().parent == (tmp_path / "disk/toy").resolve()


@pytest.mark.parametrize("name", [RECORDS, ABOUT])
def test_a_pipe_in_place_of_a_file_is_no_hang(tmp_path: Path, run: Run, name: str):
    (run.folder / name).unlink()
    os.mkfifo(run.folder / name)
    with time_limit(10):
        assert command(tmp_path, "show", "toy").returncode == 2


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("reason", FORMULAS)
def test_a_text_is_no_formula_in_csv(tmp_path: Path, make_case, reason: str):
    run = new_run(tmp_path / "results", "toy")
    run.add_execution("toy", {})
    measured = Measured(seconds=(1.0,), retained_bytes=-5.0)
    run.append(Record(run=run.id, suite="toy", case=make_case(), status="ok", reason=reason, measured=measured))
    (row,) = csv.DictReader(io.StringIO(command(tmp_path, "export", "toy").stdout, newline=""))
    assert row["reason"] == f"'{reason}"
    assert row["retained_bytes"] == "-5.0"  # a number stays one


def test_the_data_of_a_figure_has_no_formula(tmp_path: Path, make_case):
    run = new_run(tmp_path / "results", "toy")
    suite = make_suite(SUITE | {"report": [{"figure": "points"}]}, tmp_path / "toy.yaml").model_dump(mode="json")
    execution = {"suite": suite, "plugins": {}, "suite_text": "", "processor": "", "packages": {}}
    run.add_execution("toy", execution)
    case = make_case(method="-x/@y")
    run.append(Record(run=run.id, suite="toy", case=case, status="ok", measured=Measured(seconds=(1.0,), pairing="p")))
    measurements, _ = read([run], plugins=False)
    (element,) = elements(measurements)
    content = str(element).partition('-data">')[2].partition("<")[0]
    (row,) = csv.DictReader(io.StringIO(gzip.decompress(base64.b64decode(content)).decode()))
    assert row["row"] == row["method"] == "'-x/@y"
