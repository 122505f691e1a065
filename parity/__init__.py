"""Proves that a network written in Flax and in PyTorch is the same function. Loads neither framework."""
