"""Causes in the backward pass, where the forward passes agree and gradients do not."""
