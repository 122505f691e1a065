"""A pass of a PyTorch network as operations that can be computed again."""
