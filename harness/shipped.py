"""The suites that come with the package, by name."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def shipped_suites() -> dict[str, Path]:
    """The files of the suites, by name: those of the clone that is installed, or those inside of the wheel."""
    package = Path(str(resources.files("harness")))
    folder = next((f for f in (package.parent / "suites", package / "suites") if (f / "memory.yaml").is_file()), None)
    return {} if folder is None else {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def suite_file(given: Path) -> Path:
    """The file that a person names: a path, or else the name of a shipped suite."""
    return given if given.exists() else shipped_suites().get(str(given), given)
