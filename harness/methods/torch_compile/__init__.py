"""The native PyTorch methods with their steps compiled by torch.compile, a file an approach."""
