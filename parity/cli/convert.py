"""`parity convert` and `parity conventions`."""

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Declare the commands and their options."""
    convert = commands.add_parser("convert", help="carry weights from one network of a pair to the other")
    convert.add_argument("target", metavar="FILE.py:FUNCTION", help="makes the pair")
    convert.add_argument("--direction", choices=("torch->flax", "flax->torch"), default="torch->flax")
    convert.add_argument("--out", metavar="FILE", required=True, help="safetensors file to write")
    convert.add_argument("--map", metavar="FILE", help="weight map to use as it is")
    convert.add_argument(
        "--accept", action="append", default=[], metavar="NAME", help="a convention in which the networks may differ"
    )
    convert.set_defaults(run=_convert)
    known = commands.add_parser("conventions", help="differences of convention that can be accepted by name")
    known.set_defaults(run=_conventions)


def _convert(arguments: argparse.Namespace) -> int:
    from parity.cli import pairs
    from parity.cli.progress import ShownProgress

    with ShownProgress() as progress:
        return pairs.convert(arguments, progress.note)


def _conventions(arguments: argparse.Namespace) -> int:
    from parity.cli import pairs

    return pairs.conventions(arguments)
