"""The makers of the gallery's pairs, by the package that the Flax network is of; each imports when it is called."""
