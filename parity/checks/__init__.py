"""The ladder and the referee. They see dictionaries of NumPy arrays, never a framework."""
