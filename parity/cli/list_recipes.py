"""`parity list`: the recipes that can be checked."""

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Declare the command."""
    listing = commands.add_parser("list", help="what can be checked")
    listing.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from parity import recipes
    from parity.report import terminal

    del arguments
    terminal.show_recipes(terminal.console(), map(recipes.load, recipes.chosen([*recipes.GROUPS])))
    return 0
