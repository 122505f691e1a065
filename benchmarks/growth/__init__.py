"""How cost grows with depth, width and length: measured series, their fits and their page."""
