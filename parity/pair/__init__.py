"""Checks any Flax network against any PyTorch network. Framework-free: sees what the backends' sides show as NumPy."""
