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
MATMULS = ("full", "tf32")
BROWNIAN = ("own", "tree", "shared")
STEPPINGS = ("fixed", "adaptive")


def precision(dtype: str, matmul: str) -> str:
    """`tf32` where products are in it, else the dtype."""
    return dtype if matmul == "full" else matmul


def _digest(values: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One method with one scheme at one point of a suite's grid. Its fields are the axes of a suite, and the seed.

    Each axis is declared here, and everything that lists axes follows from it. An axis at its default is left out of
    the id of a case, so a new axis doesn't change existing ids.
    """

    problem: Annotated[
        str,
        axis(
            "a problem of `harness list problems`, with its parameters: `neural(width=64)`; or a model of your own:"
            " `mine.py:name(width=64)`"
        ),
    ]
    noise: Annotated[str, axis("the type of the noise; `none` is an ODE", choices=NOISES, roles=("x", "facet"))]
    calculus: Annotated[
        str, axis("how the SDE is to be understood; ignored for noise `none`", choices=CALCULI, default="stratonovich")
    ]
    scheme: Annotated[
        str,
        axis(
            "the numerical scheme, one of `harness list schemes`",
            default=None,
            default_words="each method's first that fits the noise and the calculus",
            roles=("facet", "color"),
        ),
    ]
    method: Annotated[
        str,
        axis(
            "a gradient method of `harness list methods`, or a glob: `torch/*`; options are given in parentheses:"
            " `jax/recursive-checkpoint(checkpoints=3)`",
            roles=("x", "facet", "color"),
        ),
    ]
    dim: Annotated[int, axis("the dimension of the state", default=10, label="dimension", roles=("x", "facet"))]
    batch: Annotated[
        int,
        axis("how many independent samples are solved together", default=32, label="batch size", roles=("x", "facet")),
    ]
    steps: Annotated[
        int,
        axis(
            "the number of steps over the whole interval; with adaptive steps it gives the length of the first step",
            default=128,
            roles=("x", "facet"),
        ),
    ]
    observations: Annotated[
        int | tuple[float, ...],
        axis(
            "at how many equally spaced times the loss reads the state (1: only at the end). Or the times themselves,"
            " as a list within the list: `[[0.1, 0.35, 1.0]]`. The last time must be the end of the interval",
            default=1,
            roles=("x", "facet"),
        ),
    ]
    dtype: Annotated[str, axis("the precision of the solve", choices=DTYPES, default="float32", how=True)]
    device: Annotated[str, axis("where the solve runs", choices=DEVICES, default="cpu", how=True)]
    threads: Annotated[int, axis("how many cores a method may use", default=1, how=True)]
    brownian: Annotated[
        str,
        axis(
            "where the noise of the timed solve comes from: `own` is the method's own random generator, `tree` a"
            " virtual Brownian tree (native methods only), `shared` one path that is injected into every method",
            choices=BROWNIAN,
            default="own",
            how=True,
        ),
    ]
    seed: Annotated[int, identity("the seed of the initial values, the parameters and the Brownian paths")]
    stepping: Annotated[
        str, axis("how step sizes are chosen", choices=STEPPINGS, default="fixed", how=True, heading="")
    ] = "fixed"
    rtol: Annotated[
        float,
        axis(
            "the relative tolerance of adaptive steps: the error of a step is kept below atol + rtol |y|",
            default=0.0,
            heading="",
            roles=(),
        ),
    ] = 0.0
    atol: Annotated[
        float,
        axis("the absolute tolerance of adaptive steps: see `rtol`", default=1e-3, heading="", roles=("x",)),
    ] = 0.0

    matmul: Annotated[
        str,
        axis(
            "how matrices are multiplied: `full` in the precision of `dtype`, `tf32` with the factors of a float32"
            " product rounded to 10 bits (on an NVIDIA GPU)",
            choices=MATMULS,
            default="full",
            how=True,
            heading="",
        ),
    ] = "full"

    @property
    def backend(self) -> str:
        """The first part of the method: `torch` of `torch/adjoint`."""
        return self.method.partition("/")[0]

    @property
    def approach(self) -> str:
        """The second part of the method, without options: `adjoint` of `torch/adjoint`."""
        return base(self.method).partition("/")[2]

    @property
    def precision(self) -> str:
        """What limits the gradient's digits: `float64`, `float32` or `tf32`."""
        return precision(self.dtype, self.matmul)

    @property
    def id(self) -> str:
        """A digest of the axes and the seed, the same in all runs, on all machines and in all versions."""
        return _digest(self._told())

    @property
    def block_id(self) -> str:
        """A digest of the seed and of all axes but method and scheme: equal for the cases of a block."""
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
        """Method, scheme and setting in words, for progress lines and messages."""
        return f"{self.method} {self.scheme}, {self.setting}"

    @property
    def setting(self) -> str:
        """The problem and the sizes in words: what all cases of a block share."""
        calculus = "" if self.noise == "none" else f" {self.calculus}"
        steps = (
            f"{self.steps} steps" if self.stepping == "fixed" else f"adaptive, rtol {self.rtol:g}, atol {self.atol:g}"
        )
        count = self.observations if isinstance(self.observations, int) else len(self.observations)
        observed = "" if count == 1 else f", {count} observations"
        products = "" if self.matmul == "full" else f", {self.matmul}"
        return f"{self.problem} {self.noise}{calculus}, dim {self.dim}, batch {self.batch}, {steps}{observed}{products}"


FIELDS = declared(Case)
"""The columns of a case: its axes and its seed."""
AXES = tuple(column.name for column in FIELDS if column.kind == "axis")
ADDED: Mapping[str, str | float] = {
    field.name: field.default for field in dataclasses.fields(Case) if field.default is not dataclasses.MISSING
}
"""The axes that earlier records lack, each with the value that it then had."""
PARTS = (
    identity(
        "the library that the method belongs to, or `torch`, `torch-compile`, `jax` for native methods: the first part"
        " of `method`",
        name="backend",
        roles=("facet", "color"),
    ),
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
