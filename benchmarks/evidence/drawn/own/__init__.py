"""Blocks of random networks as people write them themselves, not as the frameworks offer them."""
