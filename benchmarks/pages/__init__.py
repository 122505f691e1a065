"""Blocks of generated text in pages, and how figures are drawn."""
