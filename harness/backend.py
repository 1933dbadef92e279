"""What is known of a backend: a library, or a family of native methods. Declared once, beside its methods."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping

from harness.backend_facts import Style
from harness.case import Case


class AbstractBackend(ABC):
    """A library that has gradient methods, or a native family of them.

    The module that defines the methods defines their backend too: a subclass that sets what differs from below. The
    registry finds it like a method. A method of a backend that nobody declares has one with the defaults.

    A module that defines one imports no framework at its top.
    """

    name: str
    """What stands before the slash in the names of its methods."""
    framework: str
    """`torch`, `jax` or `numpy`: as of its methods."""
    summary: str
    """One line for `harness list backends`."""
    homepage: str = ""
    packages: tuple[str, ...] = ()
    """Distributions whose versions a run records. `harness doctor` asks for the first."""
    module: str = ""
    """What is imported before children are forked, so that no case spends time on it. Empty: nothing."""
    native: bool = False
    """Whether its methods are the harness's own, or a plugin's own, and not a library's."""
    compiled: bool = False
    """Whether a step runs in compiled code, so that a small state is fast."""
    building_seconds_cpu: float = 0.1
    """A rough time to build a case, for the estimate of `--dry-run`."""
    building_seconds_cuda: float = 0.1
    """The same on a CUDA device: a share of the time that several cases take side by side."""
    floor: str | None = None
    """The method that does the bare work for this backend. None: the floor of its framework's own backend."""
    forward: str | None = None
    """The method that solves without a gradient. None: that of its framework's own backend."""
    comparable: Mapping[str, tuple[str, ...]] = {}
    """Which methods to compare with: for each approach of this backend, methods that a user might choose instead.

    A library names native methods here, and a native backend names methods of libraries.
    """
    schemes: Mapping[str, Mapping[str, str]] = {}
    """The library's names for the harness's schemes. The first key is `none` (an ODE), `ito` or `stratonovich`."""
    refused: Mapping[str, str] = {}
    """Schemes of the library that differ from the harness's scheme of the same name, with the reason."""
    style: Style = Style()

    def calculus(self, case: Case) -> str:
        """The first key into `schemes` for this case."""
        return "none" if case.noise == "none" else case.calculus

    def scheme_name(self, case: Case) -> str:
        """The library's name for the case's scheme. The case must be supported."""
        return self.schemes[self.calculus(case)][case.scheme]

    def unsupported(self, case: Case) -> str | None:
        """Why the case's scheme can't be used with this library, or None. Only schemes in `schemes` are wrapped."""
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
        """`comparable` as pairs: a native method, then a library's."""
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
