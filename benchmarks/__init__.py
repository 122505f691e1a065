"""Measurements of speed; each module is a command and says what it compares."""
