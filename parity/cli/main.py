"""The command `parity`: results on stdout, progress on stderr.

Exit codes: 0 same, 1 different, 2 usage, 3 inconclusive, 130 Ctrl-C; of `parity train` 1 diverged, 75 device lost.
Each command has a module that declares its options and is cheap to import; what it needs is loaded when it runs.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from parity.cli import bugs, check, completion, interrupt, list_recipes, reproduce, train
from parity.cli.doctor import command as doctor
from parity.cli.export import command as export
from parity.cli.pairs import convert, init
from parity.errors import UsageError, printable

COMMANDS = (list_recipes, check, init, convert, export, train, reproduce, bugs, doctor, completion)
"""The modules of the commands, in the order in which `parity --help` lists them."""


def entry_point() -> None:
    """Run the command line and leave with its exit code; Ctrl-C ends the process at once."""
    interrupt.watch()
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
    words = parser()
    completion.complete(words)
    arguments = words.parse_args(argv)
    arguments.words = list(argv)
    try:
        return arguments.run(arguments)
    except UsageError as error:
        print(f"parity: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("parity: stopped", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")


class _Version(argparse.Action):
    """Prints the version, which is read only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *asked: Any) -> NoReturn:
        from parity.report.environment import versions

        del asked
        print(f"netparity {versions()['netparity']}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The parser of the command line, with all commands."""
    parser = _Parser(
        prog="parity",
        description="Proves that a network in Flax and its twin in PyTorch are the same function, or names the first "
        "layer where they are not.",
        epilog="exit codes: 0 same, 1 different, 2 usage, 3 inconclusive",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and leave")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
