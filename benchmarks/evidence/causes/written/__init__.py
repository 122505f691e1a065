"""Pairs as their users write them, one file each, beside the bugs that are planted in their text."""
