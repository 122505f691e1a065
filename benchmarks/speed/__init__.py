"""The time of a training step, contestant by contestant, with what bounds it."""
