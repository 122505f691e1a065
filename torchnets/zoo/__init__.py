"""The networks beyond the study in PyTorch: those that comparisons of frameworks are about."""
