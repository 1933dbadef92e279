"""Cases and blocks: the points of a suite's grid, as frozen values."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NOISES = ("none", "additive", "scalar", "diagonal", "general")
CALCULI = ("ito", "stratonovich")
DTYPES = ("float32", "float64")
DEVICES = ("cpu", "cuda")
BROWNIAN = ("own", "shared")


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One method with one scheme at one point of a grid.

    `problem` is a registered name, with its parameters where they differ from their defaults: `neural(width=64)`.
    `steps` counts the solver's steps over the whole interval, `observations` the equally spaced save times that
    the loss reads (1: the end only). `brownian` is `own` (the method's own sampler) or `shared` (the injected path).
    """

    problem: str
    noise: str
    calculus: str
    scheme: str
    method: str
    dim: int
    batch: int
    steps: int
    observations: int
    dtype: str
    device: str
    threads: int
    brownian: str
    seed: int

    @property
    def backend(self) -> str:
        """The library that runs it: `torch` of `torch/adjoint`."""
        return self.method.partition("/")[0]

    @property
    def approach(self) -> str:
        """How the gradient is had: `adjoint` of `torch/adjoint`."""
        return self.method.partition("/")[2]

    @property
    def id(self) -> str:
        """Stable over runs, machines and versions: a digest of the axes and the seed."""
        return _digest(dataclasses.asdict(self))

    @property
    def block_id(self) -> str:
        """The digest of what the case shares with those it is paired with: all but method and scheme."""
        axes = dataclasses.asdict(self)
        return _digest({name: axes[name] for name in axes if name not in ("method", "scheme")})

    @property
    def label(self) -> str:
        """For people: progress lines and messages."""
        return f"{self.method} {self.scheme}, {self.setting}"

    @property
    def setting(self) -> str:
        """The block in words."""
        calculus = "" if self.noise == "none" else f" {self.calculus}"
        return f"{self.problem} {self.noise}{calculus}, dim {self.dim}, batch {self.batch}, {self.steps} steps"


AXES = tuple(field.name for field in dataclasses.fields(Case) if field.name != "seed")


@dataclass(frozen=True)
class Block:
    """All cases that do the same work: equal in everything but method and scheme. They are timed in turn."""

    cases: tuple[Case, ...]

    @property
    def id(self) -> str:
        """The digest of the shared axes."""
        return self.cases[0].block_id


def blocks(cases: Iterable[Case]) -> list[Block]:
    """Group cases into blocks, in the order in which each block's first case comes."""
    grouped: dict[str, list[Case]] = {}
    for case in cases:
        grouped.setdefault(case.block_id, []).append(case)
    return [Block(tuple(group)) for group in grouped.values()]
