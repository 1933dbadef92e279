"""The native PyTorch methods, a file an approach."""
