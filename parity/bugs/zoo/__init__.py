"""Bugs planted in the networks of the zoo."""
