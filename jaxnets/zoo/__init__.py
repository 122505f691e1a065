"""The networks beyond the study in Flax NNX: those that comparisons of frameworks are about."""
