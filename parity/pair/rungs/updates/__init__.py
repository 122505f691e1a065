"""What is trained: rungs 5 and 6, optimizers, schedules and training runs, and causes of what differs in training."""
