"""A chunk of backward steps of the continuous adjoint equation, compiled, PyTorch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from torch import Tensor

from harness.arithmetic import combine, minus
from harness.methods._backward import backward_scheme
from harness.methods.torch_compile._chunks import Setting, compile_chunk, vjp
from harness.scheme import Noise, increment_of

Backward = Callable[
    [Tensor, Tensor, Sequence[Tensor], Sequence[Tensor], Sequence[Noise[Tensor]], Sequence[Tensor]],
    tuple[Tensor, Tensor, list[Tensor]],
]
"""(y, a, θ, ∂L/∂θ so far, noise, times of the steps' ends) -> y, a at the chunk's start and ∂L/∂θ."""


@functools.lru_cache(maxsize=2)
def compiled_adjoint(setting: Setting) -> Backward:
    """A chunk of the backward sweep for a case.

    `harness/methods/torch/_adjoint.py` has the equation. The products by θ of all stages of one weight are added up
    before the weight is applied.
    """
    dt, tableau = setting.dt, backward_scheme(setting.scheme, setting.problem)

    def backward(
        y: Tensor,
        a: Tensor,
        theta: Sequence[Tensor],
        theta_bar: Sequence[Tensor],
        noise: Sequence[Noise[Tensor]],
        times: Sequence[Tensor],
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        weights: list[float] = []
        found: list[Sequence[Tensor]] = []
        for dW, t1 in reversed(list(zip(noise, times, strict=True))):
            increments: list[Tensor] = []
            products: list[Tensor] = []
            for row, b, c in zip(tableau.a, tableau.b, tableau.c, strict=True):

                def increment(
                    y: Tensor, theta: Sequence[Tensor], t: Tensor = t1 - c * dt, dW: Noise[Tensor] = dW
                ) -> Tensor:
                    return setting.terms(theta).stratonovich_increment(t, y, dt, increment_of(dW))

                value, pull = vjp(increment, combine(minus(row), increments, y), theta)
                product, theta_products = pull(combine(row, products, a))
                increments.append(value)
                products.append(product)
                if b:
                    weights.append(b)
                    found.append(theta_products)
            y, a = combine(minus(tableau.b), increments, y), combine(tableau.b, products, a)
        total = [combine(weights, parts, before) for before, *parts in zip(theta_bar, *found, strict=True)]
        return y.contiguous(), a.contiguous(), total

    return compile_chunk(backward, setting.case)
