"""Flax networks as arrays and pure functions of them, and the runs that train them."""
