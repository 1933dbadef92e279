"""XLA's options for a compiled gradient."""

from __future__ import annotations

import functools
import math
import re

import jax

from harness.case import Case

_YNNPACK = "xla_cpu_experimental_ynn_fusion_type"  # what YNNPACK computes; "" leaves all products to Eigen
_QUEUES_TASKS = (0, 11)  # jax 0.10.2 keeps no tasks, 0.11.2 and 0.12.0 do
_WIDE = 2**15  # numbers in the result; below, memory was seen to stay flat, but for weights of 2^17 numbers or more
_PRODUCT = re.compile(r"stablehlo\.dot_general.* contracting_dims = (.*?), .*-> tensor<((?:\d+x)*)\w+>")
_OF_WEIGHTS = "[0] x [0]"  # a sum over the batch: the gradient of a layer's weights, which XLA leaves to Eigen anyway


def compiler_options(case: Case, lowered: jax.stages.Lowered) -> dict[str, str | bool]:
    """Turn YNNPACK off for wide products on one thread, where memory would grow with the steps; else XLA's defaults.

    YNNPACK splits a wide product into tasks and queues them for XLA's pool of threads. A pool of one thread runs the
    whole solve on that thread: each product is finished at once, but the queue is emptied only when the solve is over.
    So every step keeps 2 to 6 kB for each of its wide products. docs/decisions/0007-ynnpack.md has the figures.
    """
    if jax.__version_info__ < _QUEUES_TASKS or case.device != "cpu" or case.threads != 1:
        return {}
    return {_YNNPACK: ""} if widest_product(lowered.as_text()) >= _WIDE and _known(_YNNPACK) else {}


def widest_product(stablehlo: str) -> int:
    """The numbers in the largest result of a product of the program, those of gradients of weights left out."""
    shapes = (shape for contracted, shape in _PRODUCT.findall(stablehlo) if contracted != _OF_WEIGHTS)
    return max((math.prod(map(int, shape.split("x")[:-1])) for shape in shapes), default=0)


@functools.cache
def _known(option: str) -> bool:
    """Whether this XLA has the option; it refuses unknown ones."""
    try:
        jax.jit(lambda: 0).lower().compile({option: ""})
    except jax.errors.JaxRuntimeError:
        return False
    return True
