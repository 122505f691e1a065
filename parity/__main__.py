"""`python -m parity` is the command `parity`."""

from parity.cli import entry_point

entry_point()
