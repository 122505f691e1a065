"""`parity train` for agents, whose data their own policy gathers."""
