"""The C++ compiler that torch.compile needs to make its kernels."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

COMPILERS = ("c++", "g++", "clang++")


def cxx_compiler() -> str | None:
    """The compiler's path: what the environment's CXX names, else the first of the usual ones; None without any."""
    names = [name for name in (os.environ.get("CXX"), *COMPILERS) if name]
    return next((path for path in map(shutil.which, names) if path), None)


def cannot_compile() -> str | None:
    """Why torch.compile can't work on this machine, or None."""
    if cxx_compiler() is None:
        return f"torch.compile needs a C++ compiler: none of CXX, {', '.join(COMPILERS)} is found"
    include = Path(sysconfig.get_path("include"))
    if not (include / "Python.h").is_file():
        return f"torch.compile needs Python's header files: no Python.h in {include}"
    return None
