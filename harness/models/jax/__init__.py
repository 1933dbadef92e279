"""Models of a user's own in JAX."""
