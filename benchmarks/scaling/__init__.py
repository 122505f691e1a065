"""Training on one and several devices, timed in fresh processes."""
