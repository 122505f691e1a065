"""What a backend shows and what a check reads: NumPy arrays and plain dataclasses, no framework object."""
