"""A drawn pair as source text, in the way in which people write a network: one class for each side."""
