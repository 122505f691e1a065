"""A user's Flax network as a pure function of named arrays, whichever of Flax's two APIs it is written in."""
