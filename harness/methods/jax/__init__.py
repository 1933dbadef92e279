"""The native JAX methods, a file an approach."""
