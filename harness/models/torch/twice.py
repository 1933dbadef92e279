"""Two evaluations of a loss must agree to the last bit: else methods would be compared on different functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from harness.errors import ProblemError
from harness.models.torch.call import OdeCall, SdeCall

Call: TypeAlias = SdeCall | OdeCall | None
Outputs: TypeAlias = list[tuple[str, list[Tensor]]]
"""What each module that was called gave, in order."""


def check_repeatable(loss: Callable[[], Tensor], call: Callable[[], Call]) -> None:
    """Evaluate f and g twice, then the loss, the generators seeded alike. `call` gives what the last solve was asked.

    Raises ProblemError, which names the first module whose output differs, or the solve's inputs.
    """
    before = call()
    assert before is not None
    _check_fields(before)
    with _outputs() as first:
        one, before = loss().detach(), call()
    with _outputs() as second:
        two, after = loss().detach(), call()
    assert before is not None
    assert after is not None
    if not torch.equal(one, two) and not (one.isnan().all() and two.isnan().all()):
        raise ProblemError(
            "two evaluations of the loss with the same parameters and random numbers differ"
            f" ({float(one):.9g}, {float(two):.9g}): {_difference(first, second, before, after)}"
        )


def _check_fields(call: SdeCall | OdeCall) -> None:
    side, y = call.side(), call.start().detach()
    t, given = y.new_tensor(float(call.times()[0])), y.clone()
    with torch.no_grad():
        for name, function in (("f", side.f), ("g", side.g)):
            if function is None:
                continue
            values = [function(t, y).nan_to_num() for _ in range(2)]
            if not torch.equal(y, given):
                raise ProblemError(f"{name} changes the state that it is given; give it a copy: y = y.clone()")
            if not torch.equal(*values):
                raise ProblemError(
                    f"{name} gives another value when it is evaluated again at the same time and state, as with dropout"
                    " in it: no method has its gradient. Draw random numbers in the loss, before the solve"
                )


def _difference(
    first: list[tuple[str, list[Tensor]]],
    second: list[tuple[str, list[Tensor]]],
    before: SdeCall | OdeCall,
    after: SdeCall | OdeCall,
) -> str:
    if not torch.equal(before.start(), after.start()):
        where = "y0 of the solve is another one"
    else:
        where = "y0 of the solve is the same"
    for (name, outputs), (_, others) in zip(first, second, strict=False):
        if len(outputs) != len(others) or not all(map(torch.equal, outputs, others)):
            return f"{where}; the first module whose output differs is {name}"
    return f"{where}, no module's output differs: something is kept between calls, or drawn by a generator of its own"


@contextmanager
def _outputs() -> Iterator[Outputs]:
    """The outputs of every module that is called, in order."""
    seen: Outputs = []

    def hook(module: torch.nn.Module, args: object, output: object) -> None:
        del args
        tensors = [x.detach().clone() for x in tree_leaves(output) if isinstance(x, Tensor)]
        seen.append((str(module).partition("\n")[0], tensors))

    handle = torch.nn.modules.module.register_module_forward_hook(hook)
    try:
        yield seen
    finally:
        handle.remove()
