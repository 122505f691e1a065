"""The NumPy reference as a backend: twins written by hand, with their backward passes."""
