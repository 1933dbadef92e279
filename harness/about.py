"""What a run's run.json holds: checked where it is read, whichever version of the harness wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.damage import DamageError, Reader, version_of
from harness.errors import shown
from harness.limits import LARGEST_STORED


class _Strict(BaseModel):
    """A text isn't read as a number. Other entries may stand beside these."""

    model_config = ConfigDict(strict=True)


class _Style(_Strict):
    marker: str = ""
    dashes: list[float] = []


class _Backend(_Strict):
    """What `harness.backend_facts` reads."""

    floor: str | None = None
    comparable: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = []
    style: _Style = _Style()
    native: bool = False


_Number = Annotated[int, Field(ge=0, le=LARGEST_STORED)]


class _Execution(_Strict):
    """The entries of an execution that are read again. Each has a default, because earlier versions lack some."""

    suite: dict[str, Any] = {}
    suite_text: str = ""
    seed: _Number = 0
    only: list[str] = []
    cases: _Number | None = None
    plugins: dict[str, str] = {}
    backends: dict[str, _Backend] = {}
    models: dict[str, list[str]] = {}
    warnings: list[str] = []
    arguments: list[str] = []
    time: str = ""
    python: str = ""
    platform: str = ""
    kernel: str = ""
    processor: str = ""
    cores: _Number | None = None
    logical_cores: _Number | None = None
    usable_cores: _Number | None = None
    memory_bytes: _Number | None = None
    gpus: list[dict[str, Any]] = []
    cuda_devices: dict[str, str] = {}
    packages: dict[str, str | None] = {}
    variables: dict[str, str | None] = {}
    git_revision: str | None = None


class _About(_Strict):
    suite: str
    executions: Annotated[list[_Execution], Field(min_length=1)]


NEEDED = {
    "string_type": "text",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "list_type": "a list",
    "model_type": "a mapping",
    "greater_than_equal": "a number from 0",
    "less_than_equal": f"a number up to {LARGEST_STORED}",
}
"""In words, for pydantic's kinds of mistakes."""


def check_about(about: object, readers: Mapping[int, Reader]) -> None:
    """Raises DamageError where this isn't what a run.json holds."""
    if not isinstance(about, dict):
        raise DamageError(f"is {shown(about)}; needed: a mapping")
    version_of(about, readers)
    try:
        _About.model_validate(about)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        if first["type"] == "missing":
            raise DamageError(f"has no {place}") from error
        needed = NEEDED.get(first["type"], first["msg"][0].lower() + first["msg"][1:])
        raise DamageError(f"has {place} {shown(first['input'])}; needed: {needed}") from error
