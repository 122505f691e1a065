"""The rungs of the ladder for a pair: what each one reads, and its findings."""
