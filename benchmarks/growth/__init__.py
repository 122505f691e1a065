"""The growth of the cost with batch, width, length and parameters: measured series, their fits and their page."""
