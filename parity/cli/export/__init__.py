"""`parity export`."""
