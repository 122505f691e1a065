"""Files that the tool reads, mutated at random."""
