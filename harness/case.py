"""Cases and blocks: the points of a suite's grid, as frozen values."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from harness.column import axis, declared, identity
from harness.spec import base

NOISES = ("none", "additive", "scalar", "diagonal", "general")
CALCULI = ("ito", "stratonovich")
DTYPES = ("float32", "float64")
DEVICES = ("cpu", "cuda")
BROWNIAN = ("own", "tree", "shared")
STEPPINGS = ("fixed", "adaptive")


def _digest(values: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One method with one scheme at one point of a grid.

    Each axis is declared here, and everything that lists axes follows. An axis with a default here is left out of the
    ids of the cases that have it, so that a new axis renames no case.
    """

    problem: Annotated[
        str,
        axis(
            "a name of `harness list problems`, with parameters: `neural(width=64)`; or a model:"
            " `mine.py:name(width=64)`"
        ),
    ]
    noise: Annotated[str, axis("the type of the noise", choices=NOISES, roles=("x", "facet"))]
    calculus: Annotated[
        str, axis("the calculus; without meaning for noise `none`", choices=CALCULI, default="stratonovich")
    ]
    scheme: Annotated[
        str,
        axis(
            "a name of `harness list schemes`",
            default=None,
            default_words="each method's own for that noise and calculus",
            roles=("facet", "color"),
        ),
    ]
    method: Annotated[
        str,
        axis(
            "a name of `harness list methods`, or a glob: `torch/*`; options stand in parentheses:"
            " `jax/recursive-checkpoint(checkpoints=3)`",
            roles=("x", "facet", "color"),
        ),
    ]
    dim: Annotated[int, axis("the dimension of the state", default=10, label="dimension", roles=("x", "facet"))]
    batch: Annotated[
        int,
        axis("independent samples solved together", default=32, label="batch size", roles=("x", "facet")),
    ]
    steps: Annotated[
        int,
        axis(
            "steps of the solver over the whole interval; with adaptive steps they give the first step",
            default=128,
            roles=("x", "facet"),
        ),
    ]
    observations: Annotated[
        int | tuple[float, ...],
        axis(
            "the number of equally spaced times at which the loss reads the state (1: the end only), or the times"
            " themselves, a list within the list, such as `[[0.1, 0.35, 1.0]]`, the last of them the interval's end",
            default=1,
            roles=("x", "facet"),
        ),
    ]
    dtype: Annotated[str, axis("the precision of the solve", choices=DTYPES, default="float32", how=True)]
    device: Annotated[str, axis("where the solve runs", choices=DEVICES, default="cpu", how=True)]
    threads: Annotated[int, axis("cores that a method may use", default=1, how=True)]
    brownian: Annotated[
        str,
        axis(
            "the sampler of the noise: the method's own, a native virtual Brownian tree, or the injected shared path",
            choices=BROWNIAN,
            default="own",
            how=True,
        ),
    ]
    seed: Annotated[int, identity("the seed of initial values, parameters and paths")]
    stepping: Annotated[
        str, axis("how step sizes are chosen", choices=STEPPINGS, default="fixed", how=True, heading="")
    ] = "fixed"
    rtol: Annotated[
        float,
        axis("with adaptive steps, a step's error is held below atol + rtol |y|", default=0.0, heading="", roles=()),
    ] = 0.0
    atol: Annotated[
        float,
        axis("the absolute tolerance of adaptive steps, as for `rtol`", default=1e-3, heading="", roles=("x",)),
    ] = 0.0

    @property
    def backend(self) -> str:
        """`torch` of `torch/adjoint`."""
        return self.method.partition("/")[0]

    @property
    def approach(self) -> str:
        """`adjoint` of `torch/adjoint`, whatever its options."""
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

    def _told(self) -> dict[str, object]:
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
        count = self.observations if isinstance(self.observations, int) else len(self.observations)
        observed = "" if count == 1 else f", {count} observations"
        return f"{self.problem} {self.noise}{calculus}, dim {self.dim}, batch {self.batch}, {steps}{observed}"


FIELDS = declared(Case)
"""The columns of a case: its axes and its seed."""
AXES = tuple(column.name for column in FIELDS if column.kind == "axis")
PARTS = (
    identity("the library that runs it: the first part of `method`", name="backend", roles=("facet", "color")),
    identity("how the gradient is computed: the second part of `method`", name="approach", roles=("facet", "color")),
)
"""What a case tells besides: properties that are stored."""


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
