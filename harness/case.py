"""Cases and blocks: the points of a suite's grid, as frozen values."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.spec import base

NOISES = ("none", "additive", "scalar", "diagonal", "general")
CALCULI = ("ito", "stratonovich")
DTYPES = ("float32", "float64")
DEVICES = ("cpu", "cuda")
BROWNIAN = ("own", "tree", "shared")
STEPPINGS = ("fixed", "adaptive")


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One method with one scheme at one point of a grid.

    `problem` is a registered name, with its parameters where they differ from their defaults: `neural(width=64)`.
    `steps` counts the solver's steps over the whole interval. `observations` is the number of equally spaced times at
    which the loss reads the state (1: the end only), or these times themselves, the last of them the interval's end.
    `brownian` is `own` (the method's own sampler), `tree` (a native virtual Brownian tree) or `shared` (the injected
    path). With `stepping` adaptive, `steps` gives the first step, and a step's error is held below `atol` + `rtol` |y|;
    both are 0 where steps are fixed.
    """

    problem: str
    noise: str
    calculus: str
    scheme: str
    method: str
    dim: int
    batch: int
    steps: int
    observations: int | tuple[float, ...]
    dtype: str
    device: str
    threads: int
    brownian: str
    seed: int
    stepping: str = "fixed"
    rtol: float = 0.0
    atol: float = 0.0

    @property
    def backend(self) -> str:
        """The library that runs it: `torch` of `torch/adjoint`."""
        return self.method.partition("/")[0]

    @property
    def approach(self) -> str:
        """How the gradient is computed: `adjoint` of `torch/adjoint`, whatever its options."""
        return base(self.method).partition("/")[2]

    @property
    def id(self) -> str:
        """Stable over runs, machines and versions: a digest of the axes and the seed."""
        return _digest(self._told())

    @property
    def block_id(self) -> str:
        """The digest of what the case shares with those it is paired with: all but method and scheme."""
        axes = self._told()
        return _digest({name: axes[name] for name in axes if name not in ("method", "scheme")})

    def _told(self) -> dict[str, Any]:
        """The axes and the seed. A default is left out, so that an axis that is added renames no case."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.default is dataclasses.MISSING or getattr(self, field.name) != field.default
        }

    @property
    def label(self) -> str:
        """For people: progress lines and messages."""
        return f"{self.method} {self.scheme}, {self.setting}"

    @property
    def setting(self) -> str:
        """The block in words."""
        calculus = "" if self.noise == "none" else f" {self.calculus}"
        steps = (
            f"{self.steps} steps" if self.stepping == "fixed" else f"adaptive, rtol {self.rtol:g}, atol {self.atol:g}"
        )
        return f"{self.problem} {self.noise}{calculus}, dim {self.dim}, batch {self.batch}, {steps}"


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
