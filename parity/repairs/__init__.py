"""`parity repair`: the mend of a proven cause written into the user's source, tried on a copy, and proven again."""
