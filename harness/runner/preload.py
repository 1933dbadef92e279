"""Imported once by the fork server, so that its children start in milliseconds. Imports, and initialises nothing.

Besides, it makes sure that the server ends with the run, and what descends from it with the server."""

import contextlib
import gc
import signal
import warnings

from harness.registry import Registry
from harness.runner.orphans import ended_with_run, guard_server

# Children end when their parent says so, not by a Ctrl-C of their own.
signal.signal(signal.SIGINT, signal.SIG_IGN)
# JAX warns at a fork because of threads that it hasn't started yet: no backend is up in the server.
warnings.filterwarnings("ignore", message=".*fork.*", category=RuntimeWarning)
warnings.filterwarnings("ignore", category=DeprecationWarning)
# What a method starts becomes a child of the server where the method ends before it.
warnings.filterwarnings("ignore", message=".*unexpected pid.*", category=UserWarning)

with ended_with_run():
    _backends = Registry.load().backends.values()
    for _module in (*(backend.module for backend in _backends if backend.module), "memray", "harness.runner.child"):
        with contextlib.suppress(ImportError):
            __import__(_module)

guard_server()  # after the imports, so that it is the first thing that happens when the server ends

# What is imported stays. No child's garbage collection looks at it again, which takes 0.2 s and copies its pages.
gc.collect()
gc.freeze()
