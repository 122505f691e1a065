"""A pass as operations that can be computed again."""
