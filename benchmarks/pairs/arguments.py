"""The command line of the records of pairs: measure into a folder, make one record of it, write the page."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from parity.errors import UsageError


def parser(module: str, about: str, **single: Any) -> argparse.ArgumentParser:
    """The parser of --out, --one, --record, --page, --check and the names of pairs.

    Args:
        module: The module's dotted name, as `python -m` takes it.
        about: The module's docstring, whose first line describes the command.
        **single: Arguments of `add_argument` for --one, which measures in this process: each record's own.
    """
    whole = argparse.ArgumentParser(prog=f"python -m {module}", description=about.splitlines()[0])
    whole.add_argument("--out", type=Path, metavar="FOLDER", help="measure into this folder")
    whole.add_argument("--one", **single)
    whole.add_argument("--record", nargs=2, type=Path, metavar=("FOLDER", "FILE"), help="make one record of a folder")
    whole.add_argument("--page", action="store_true", help="write the page")
    whole.add_argument("--check", action="store_true", help="with --page: write nothing, tell whether it is up to date")
    whole.add_argument("names", nargs="*", metavar="PAIR")
    return whole


def run(command: Callable[[argparse.Namespace], int], words: argparse.ArgumentParser, argv: Sequence[str]) -> int:
    """Run a command on its parsed arguments; return its exit code, 2 where it raises UsageError, which is printed.

    Args:
        command: What is done with the arguments.
        words: The parser of them.
        argv: The words after the command's name.
    """
    try:
        return command(words.parse_args(argv))
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
