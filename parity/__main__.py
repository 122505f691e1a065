"""`python -m parity` is the command `parity`."""

from parity.cli.main import entry_point

entry_point()
