"""The description of a backend: a library, or a family of native methods. Declared once, beside its methods."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping

from harness.backend_facts import Style
from harness.case import Case


class AbstractBackend(ABC):
    """The description of a library that has gradient methods, or of a family of native methods.

    Define it as a subclass in the module of the methods, and set what differs from the defaults below. The registry
    finds it like a method. A method whose backend is not declared gets one with the defaults.

    A module that defines a backend must not import its framework at the top.
    """

    name: str
    """The part before the slash in the names of its methods."""
    framework: str
    """`torch`, `jax` or `numpy`: the framework of its methods."""
    summary: str
    """One line for `harness list backends`."""
    homepage: str = ""
    """The web page of the library."""
    packages: tuple[str, ...] = ()
    """Distributions whose versions a run records. `harness doctor` checks that the first one is installed."""
    module: str = ""
    """The module that is imported before children are forked, so that no case spends time on it. Empty: none."""
    native: bool = False
    """Whether its methods belong to the harness or to a plugin, and not to a library."""
    compiled: bool = False
    """Whether a step runs in compiled code, so that a small state is fast. For the estimate of `--dry-run`."""
    building_seconds_cpu: float = 0.1
    """A rough time to build a case, for the estimate of `--dry-run`."""
    building_seconds_cuda: float = 0.1
    """The same on a CUDA device: the share of one case, if several are built side by side."""
    floor: str | None = None
    """The method that does the bare work of a gradient. None: `torch/floor` or `jax/floor`, by the framework."""
    forward: str | None = None
    """The method that solves without a gradient. None: `torch/solve` or `jax/solve`, by the framework."""
    comparable: Mapping[str, tuple[str, ...]] = {}
    """For each approach of this backend, the methods of other backends that a user might choose instead.

    A library names native methods here, and a native backend names methods of libraries.
    """
    schemes: Mapping[str, Mapping[str, str]] = {}
    """How the library calls the harness's schemes. The first key is `none` (an ODE), `ito` or `stratonovich`."""
    refused: Mapping[str, str] = {}
    """Schemes of the library that differ from the harness's scheme of the same name, with the reason."""
    style: Style = Style()
    """Marker and dashes in figures."""

    def calculus(self, case: Case) -> str:
        """The first key into `schemes` for this case."""
        return "none" if case.noise == "none" else case.calculus

    def scheme_name(self, case: Case) -> str:
        """The library's name for the case's scheme. The case must be supported."""
        return self.schemes[self.calculus(case)][case.scheme]

    def unsupported(self, case: Case) -> str | None:
        """Why the library can't solve the case by its scheme; None if it can. `schemes` lists what it can."""
        if case.noise == "none" and "none" not in self.schemes:
            return f"{self.name} solves SDEs, not ODEs"
        if case.noise != "none" and set(self.schemes) == {"none"}:
            return f"{self.name} solves ODEs: noise none only"
        if case.scheme in self.refused:
            return self.refused[case.scheme]
        wrapped = self.schemes.get(self.calculus(case), {})
        if case.scheme not in wrapped:
            return f"{case.scheme} of {self.name} is not wrapped here; wrapped: {', '.join(wrapped)}"
        return None

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """`comparable` as pairs of a native method and a method of a library."""
        pairs = [(other, f"{self.name}/{own}") for own, others in self.comparable.items() for other in others]
        return tuple((own, other) for other, own in pairs) if self.native else tuple(pairs)


class UndeclaredBackend(AbstractBackend):
    """The backend of methods whose module declares none. Its costs are those of the framework's native backend."""

    summary = "not declared"

    def __init__(self, name: str, framework: str, own: AbstractBackend | None) -> None:
        self.name = name
        self.framework = framework
        if own is not None:
            self.compiled = own.compiled
            self.building_seconds_cpu = own.building_seconds_cpu
            self.building_seconds_cuda = own.building_seconds_cuda
