"""The notebook runs as it is written."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from pathlib import Path

import pytest

import harness
from harness.trial import Trial

EXAMPLES = Path(harness.__file__).parents[1] / "docs" / "examples"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cell by cell, beside a copy of its model; what a cell shows last has a picture or a text."""
    folder = tmp_path / "docs" / "examples"
    folder.mkdir(parents=True)
    shutil.copy(EXAMPLES / "latent_sde.py", folder)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "latent_sde", raising=False)
    cells = json.loads((EXAMPLES / "try_a_model.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "a cell", "exec"), names)
            assert all(output["output_type"] != "error" for output in cell["outputs"])
    trial = names["trial"]
    assert isinstance(trial, Trial)
    assert set(trial.frame["status"]) == {"ok"}
    last = ast.parse("".join(cells[-1]["source"])).body[-1]
    assert isinstance(last, ast.Expr)
    drawing = eval(compile(ast.Expression(last.value), "the last cell", "eval"), names)
    assert "<svg" in drawing._repr_svg_()
