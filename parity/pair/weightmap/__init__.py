"""Which arrays of the two networks belong together, how one is laid out in the other, and the proof."""
