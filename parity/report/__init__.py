"""Results as dataclasses, and their forms: terminal and JSON."""
