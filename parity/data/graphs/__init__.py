"""Graphs, several of which make a batch."""
