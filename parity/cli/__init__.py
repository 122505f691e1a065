"""The command line: one module per command, which owns its options."""
