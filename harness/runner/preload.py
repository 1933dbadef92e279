"""Imported once by the fork server, so that its children start in milliseconds. Imports, and initialises nothing."""

import contextlib
import gc
import signal
import warnings

from harness.registry import Registry

# Children end when their parent says so, not by a Ctrl-C of their own.
signal.signal(signal.SIGINT, signal.SIG_IGN)
# JAX warns at a fork because of threads that it hasn't started yet: no backend is up in the server.
warnings.filterwarnings("ignore", message=".*fork.*", category=RuntimeWarning)
warnings.filterwarnings("ignore", category=DeprecationWarning)

_backends = Registry.load().backends.values()
for _module in (*(backend.module for backend in _backends if backend.module), "memray", "harness.runner.child"):
    with contextlib.suppress(ImportError):
        __import__(_module)

# What is imported stays. No child's garbage collection looks at it again, which takes 0.2 s and copies its pages.
gc.collect()
gc.freeze()
