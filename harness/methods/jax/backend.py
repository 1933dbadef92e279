"""The native JAX methods as a backend."""

from __future__ import annotations

from harness.backend import AbstractBackend
from harness.backend_facts import Style


class Jax(AbstractBackend):
    """JAX, a whole gradient compiled by XLA."""

    name = "jax"
    framework = "jax"
    summary = "the native methods in JAX"
    homepage = "https://docs.jax.dev"
    packages = ("jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin")
    module = "jax"
    native = True
    compiled = True
    building_seconds_cpu = 1.0
    building_seconds_cuda = 8.0
    floor = "jax/floor"
    forward = "jax/solve"
    style = Style("s", ())
