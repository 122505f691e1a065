"""`parity doctor`: what the machine and the installed versions are, and which faults of theirs are known."""
