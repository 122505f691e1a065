"""How many planted bugs `parity repair` mends in source files, each pair proven again."""
