"""A comparison in a process of its own, so that a crash in the user's networks loses nothing."""
