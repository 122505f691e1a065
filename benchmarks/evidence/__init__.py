"""How often the check is right: measured on planted bugs, on drawn networks, and on itself."""
