"""A pass of a Flax network as operations that can be computed again."""
