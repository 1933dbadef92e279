"""What this machine can run."""

from __future__ import annotations

import os
from dataclasses import dataclass

from harness.case import Case


@dataclass(frozen=True)
class Machine:
    """Cores that the process may use, and the frameworks that see a CUDA device."""

    cores: int
    cuda: frozenset[str] = frozenset()

    @classmethod
    def here(cls, cuda: frozenset[str] = frozenset()) -> Machine:
        """The machine that this runs on; `cuda` is found out in a child, since it takes the frameworks."""
        return cls(len(os.sched_getaffinity(0)), cuda)

    def unsupported(self, case: Case, framework: str) -> str | None:
        """Why the case can't run here, or None."""
        if case.threads > self.cores:
            return f"{case.threads} threads asked for, {self.cores} cores at hand"
        if case.matmul == "tf32" and case.dtype != "float32":
            return f"matmul: tf32 is for products of float32, the case is in {case.dtype}"
        if case.matmul == "tf32" and case.device != "cuda":
            return f"matmul: tf32 needs an NVIDIA GPU, the case is on {case.device}"
        if case.device == "cuda" and framework not in self.cuda:
            return f"{framework} sees no CUDA device on this machine"
        return None
