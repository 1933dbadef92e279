"""Models in PyTorch: the `solve` that they are given, what is found of them, and their references."""
