"""Gradient methods: native ones in `torch/` and `jax/`, a file each; a file for each library.

A new file here is found without being named anywhere.
"""
