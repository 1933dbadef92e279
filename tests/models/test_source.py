"""The files that make up a model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from harness.models.source import Source

DECLARED = """
import numpy, harness
from {place} import width

@harness.torch.model
def model(solve):
    return None
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty folder. What is imported from it is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def write(folder: Path, **texts: str) -> None:
    """Python files by their names, `__` standing for a folder's end."""
    for name, text in texts.items():
        file = folder / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)


def test_a_file_and_what_it_imports_from_its_folder(folder, monkeypatch):
    """Also by way of another file; neither an installed package, nor a file that nobody imports."""
    write(
        folder,
        of_a_file=DECLARED.format(place="source_nets.wide"),
        source_nets__wide="from source_sizes import width",
        source_sizes="width = 3",
        source_unused="",
    )
    source, _ = Source.of("../mine/of_a_file.py:model", folder / "beside")
    monkeypatch.chdir(folder)
    for place in ("source_made_up.py", str(folder / "source_made_up.py")):  # as PyTorch's modules of operators have it
        made_up = ModuleType(f"source_made_up_{len(place)}")
        made_up.__file__ = place
        monkeypatch.setitem(sys.modules, made_up.__name__, made_up)
    source = Source(source.label, str(folder / "of_a_file.py"), "model")
    source.model()
    assert source.code() == {
        f"../mine/{name}": str(folder / name) for name in ("of_a_file.py", "source_nets/wide.py", "source_sizes.py")
    }


def test_a_module_and_what_it_imports_from_its_package(folder):
    text = DECLARED.format(place="source_package.sizes")
    write(folder, source_package__models=text, source_package__sizes="width = 3", source_package__unused="")
    sys.path.insert(0, str(folder))
    source, _ = Source.of("source_package.models:model", folder)
    source.model()
    assert list(source.code()) == ["source_package.models", "source_package.sizes"]
