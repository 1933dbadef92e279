"""Brownian motion: the shared path, what injects it into each library, and the native samplers."""
