"""The evidence that the check is right, measured on planted bugs, on drawn networks, and on mutants of itself."""
