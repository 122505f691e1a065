"""Rungs 5 and 6: optimizers, schedules and training runs, and the causes of what differs in them."""
