"""The planted bugs and the drawn networks."""
