"""Every exact native method gives the gradient of backpropagation: each noise, kind of scheme, odd numbers of steps.

PyTorch's eager backpropagation is what all are compared with. Each case of JAX is compiled, which takes longer than all
the rest: where PyTorch goes through a whole product of settings, JAX takes each value of an axis once or twice.
`test_properties.py` draws further cases.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gradients import distance, gradient
from tolerances import exact_tolerance

from harness.registry import Registry

NOISES = ("none", "additive", "scalar", "diagonal", "general")
SMALL = "neural(width=4)"  # fewer parameters than a chunk of directions holds
RECONSTRUCTING = ("reversible", "alf")
Setting = dict[str, object]


def on(steps: int, observations: int, scheme: str, noise: str = "none", **axes: object) -> Setting:
    """The axes of a case."""
    return {"steps": steps, "observations": observations, "scheme": scheme, "noise": noise, **axes}


def general_settings() -> list[Setting]:
    """For the methods that take any scheme: each noise by a one-step scheme and by one with a state of its own."""
    forms = [(noise, "stratonovich", scheme) for noise in NOISES[1:] for scheme in ("heun", "reversible-heun")]
    forms += [(noise, "ito", "euler") for noise in ("scalar", "diagonal", "general")]
    forms += [("none", "stratonovich", scheme) for scheme in ("euler", "midpoint", "rk4", "reversible-heun")]
    return [
        on(24, observations, scheme, noise, calculus=calculus)
        for noise, calculus, scheme in forms
        for observations in (1, 3)
    ]


def every_other(settings: list[Setting]) -> list[Setting]:
    """One of each pair, the first and the second in turn."""
    return [pair[n % 2] for n, pair in enumerate(zip(settings[::2], settings[1::2], strict=True))]


SEGMENTS = [on(steps, k, "reversible-heun", "general") for steps, k in ((1, 1), (7, 1), (13, 13), (24, 3))]
REVOLVED = [
    ("none", "stratonovich", "rk4"),
    ("additive", "stratonovich", "heun"),
    ("scalar", "ito", "srk"),
    ("diagonal", "stratonovich", "reversible-heun"),
    ("diagonal", "ito", "euler"),
    ("general", "stratonovich", "midpoint"),
]
REGISTRY = Registry.load()
COUPLED = {
    name: [noise for noise in NOISES if noise in scheme.noises]
    for name, scheme in REGISTRY.schemes.items()
    if scheme.reversible and name not in ("reversible-heun", "alf")
}
SYMPLECTIC = [
    name
    for name, scheme in REGISTRY.schemes.items()
    if REGISTRY.methods["torch/symplectic-adjoint"].unsuited(scheme) is None
]
FORWARD = [
    *(on(7, 1, scheme, noise, problem=SMALL) for noise in NOISES for scheme in ("heun", "reversible-heun")),
    on(64, 4, "alf", problem=SMALL),
    on(1, 1, "coupled-heun", "general", problem=SMALL),
    on(8, 4, "heun", "diagonal"),  # more parameters than a chunk holds
    on(8, 1, "milstein", "diagonal", problem="example1", calculus="ito"),  # a scheme that takes derivatives itself
]
REVERSIBLE_HEUN = [s for s in general_settings() if s["scheme"] == "reversible-heun"]

TORCH = {
    "checkpoint": [*general_settings(), *SEGMENTS],
    "reversible": [
        *REVERSIBLE_HEUN,
        *(on(64, 4, scheme, noise) for scheme, noises in COUPLED.items() for noise in noises),
        *(on(steps, 1, "coupled-heun", noise) for noise in NOISES for steps in (1, 7)),
        on(1, 1, "coupled-euler", "additive"),
        on(7, 1, "coupled-rk4"),
        on(64, 1, "coupled-midpoint", "general"),
        *(on(n, k, "alf", problem=problem) for problem in ("neural", "linear") for n, k in ((1, 1), (7, 1), (64, 4))),
    ],
    "recursive-checkpoint": [
        on(steps, k, scheme, noise, calculus=calculus)
        for noise, calculus, scheme in REVOLVED
        for steps, k in ((1, 1), (7, 1), (16, 4), (40, 8))
    ]
    + [on(1024, 1, "heun", "diagonal", dim=2, batch=2)],
    "symplectic-adjoint": [on(steps, k, scheme) for scheme in SYMPLECTIC for steps, k in ((1, 1), (7, 1), (16, 4))]
    + [on(1024, 1, "rk4", dim=2, batch=2)],
    "alf": [on(n, k, "alf", problem=problem) for problem in ("neural", "linear") for n, k in ((1, 1), (7, 1), (64, 4))],
    "forward": FORWARD,
}
JAX = {
    "backprop": every_other(general_settings()),
    "checkpoint": [*every_other(general_settings())[1::2], *SEGMENTS],
    "reversible": [
        *every_other(REVERSIBLE_HEUN),
        *(on(64, 4, "coupled-heun", noise) for noise in NOISES),
        on(1, 1, "coupled-heun", "general"),
        on(7, 1, "coupled-heun", "scalar"),
        on(64, 1, "coupled-euler", "additive"),
        on(64, 1, "coupled-midpoint", "diagonal"),
        on(64, 1, "coupled-rk4"),
        on(64, 4, "alf"),
    ],
    "recursive-checkpoint": [
        on(7, 1, "rk4"),
        on(16, 4, "srk", "additive", calculus="ito"),
        on(1, 1, "euler", "scalar", calculus="ito"),
        on(100, 20, "reversible-heun", "diagonal"),
        on(500, 1, "midpoint", "general"),
    ],
    "symplectic-adjoint": [
        on(7, 1, "euler"),
        on(1, 1, "heun"),
        on(16, 4, "midpoint"),
        on(16, 1, "ralston"),
        on(7, 7, "rk4"),
        on(16, 4, "dopri5"),
    ],
    "alf": [on(1, 1, "alf"), on(7, 1, "alf"), on(64, 4, "alf")],
    "forward": [s for s in FORWARD if s["scheme"] != "reversible-heun" or s["noise"] == "general"],
}


def cases() -> Iterator[object]:
    """Method and axes, each with a name."""
    for backend, settings in (("torch", TORCH), ("jax", JAX)):
        for approach, found in settings.items():
            for axes in found:
                name = " ".join(str(value) for value in axes.values())
                yield pytest.param(f"{backend}/{approach}", axes, id=f"{backend}/{approach} {name}")


@pytest.mark.parametrize(("method", "axes"), list(cases()))
def test_it_is_the_gradient_of_backpropagation(registry, make_case, method, axes):
    expected = gradient(registry, make_case(method="torch/backprop", **axes))
    found = gradient(registry, make_case(method=method, **axes))
    tolerance = exact_tolerance(reconstructed=method.partition("/")[2] in RECONSTRUCTING)
    assert distance(found, expected) <= tolerance
    assert found.loss == pytest.approx(expected.loss, rel=tolerance)


def test_over_many_steps(registry, make_case):
    axes = {"steps": 4096, "scheme": "reversible-heun", "dim": 2, "batch": 2}
    expected = gradient(registry, make_case(method="jax/backprop", **axes))
    for method in ("torch/reversible", "jax/reversible", "torch/checkpoint", "jax/checkpoint"):
        assert distance(gradient(registry, make_case(method=method, **axes)), expected) <= exact_tolerance(), method
