"""A problem whose f and g share a layer: it is evaluated once, the gradient is the same, a wrong pair is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from gradients import gradient

from harness.arithmetic import affine
from harness.errors import ProblemError
from harness.initial import draw
from harness.measuring.checks import check_problem
from harness.measuring.framework import FRAMEWORKS
from harness.problem import AbstractProblem


@dataclass(frozen=True, kw_only=True)
class Apart(AbstractProblem):
    """Drift and diffusion read one hidden layer."""

    name = "apart"
    hidden_layers: ClassVar[int] = 0

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return normals(batch, self.dim)

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        d = self.dim
        return {"w": normals(d, 8) / d**0.5, "b": 0.1 * normals(8), "f": normals(8, d) / 3, "g": normals(8, d) / 9}

    def hidden(self, xp: Any, y: Any, theta: Any) -> Any:
        type(self).hidden_layers += 1
        return xp.tanh(affine(y, theta["w"], theta["b"]))

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return self.hidden(xp, y, theta) @ theta["f"]

    def diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return self.hidden(xp, y, theta) @ theta["g"]

    def loss(self, xp: Any, ys: Any) -> Any:
        return (ys * ys).sum()


@dataclass(frozen=True, kw_only=True)
class Together(Apart):
    """The same with the layer evaluated once."""

    def drift_and_diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> tuple[Any, Any]:
        hidden = self.hidden(xp, y, theta)
        return hidden @ theta["f"], hidden @ theta["g"]


@dataclass(frozen=True, kw_only=True)
class Mistaken(Together):
    """Its pair has the drift of another network."""

    def drift_and_diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> tuple[Any, Any]:
        f, g = super().drift_and_diffusion(xp, t, y, theta)
        return 1.001 * f, g


def made(kind: type[AbstractProblem]) -> AbstractProblem:
    return kind(noise="diagonal", calculus="stratonovich", dim=3)


@pytest.mark.parametrize(
    ("method", "scheme"),
    [
        ("torch/backprop", "heun"),
        ("torch/adjoint", "heun"),
        ("torch/reversible", "reversible-heun"),
        ("torch/checkpoint", "euler-heun"),
        ("torchsde/backprop", "heun"),
        ("torchsde/reversible", "reversible-heun"),
        ("jax/backprop", "heun"),
        ("jax/adjoint", "heun"),
        ("jax/reversible", "reversible-heun"),
    ],
)
def test_the_gradient_is_the_same(registry, make_case, method, scheme):
    case = make_case(method=method, scheme=scheme, steps=8)
    apart, together = (gradient(registry, case, problem=made(kind)) for kind in (Apart, Together))
    np.testing.assert_allclose(together.theta, apart.theta, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(together.y0, apart.y0, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("method", "scheme"),
    [
        ("torch/floor", "heun"),
        ("torch/backprop", "heun"),
        ("torch/adjoint", "heun"),
        ("torch/reversible", "reversible-heun"),
        ("torchsde/backprop", "heun"),
        ("torchsde/reversible", "reversible-heun"),
    ],
)
def test_the_layer_is_evaluated_half_as_often(registry, make_case, method, scheme):
    """What an eager method evaluates can be counted."""
    case = make_case(method=method, scheme=scheme, steps=8, brownian="own")
    counts = []
    for kind in (Apart, Together):
        kind.hidden_layers = 0
        problem = made(kind)
        run = registry.methods[method].build(problem, registry.schemes[scheme], case, None)
        kind.hidden_layers = 0
        run()
        counts.append(kind.hidden_layers)
    apart, together = counts
    if method.startswith("torchsde/"):  # which evaluates f alone, or g alone, here and there
        assert together < 0.7 * apart
    else:
        assert together == apart / 2


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_pair_that_is_another_one_is_refused(make_case, framework):
    case = make_case()
    for kind in (Apart, Together):
        check_problem(made(kind), draw(made(kind), case.batch, case.seed), case, FRAMEWORKS[framework])
    mistaken = made(Mistaken)
    with pytest.raises(ProblemError, match="the drift of apart is another one in drift_and_diffusion"):
        check_problem(mistaken, draw(mistaken, case.batch, case.seed), case, FRAMEWORKS[framework])
