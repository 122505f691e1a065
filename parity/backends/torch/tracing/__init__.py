"""What a pass over a user's PyTorch network changes and records meanwhile."""
