"""`parity completion`: what a shell needs to complete the command's words, by argcomplete."""

import argparse
import os
from typing import Any

from parity.errors import UsageError

SHELLS = ("bash", "zsh", "fish", "powershell")


def add(commands: Any) -> None:
    """Declare the command."""
    completion = commands.add_parser(
        "completion",
        help="print what a shell needs to complete the command's words",
        epilog='bash and zsh: eval "$(parity completion bash)" in ~/.bashrc; fish: parity completion fish | source',
    )
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        from argcomplete import shellcode
    except ImportError:
        raise UsageError("completion needs argcomplete; pip install 'netparity[completion]'") from None
    print(shellcode(["parity"], shell=arguments.shell))
    return 0


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer a shell that asks for the next word, and leave; do nothing if none asks."""
    if "_ARGCOMPLETE" in os.environ:
        from argcomplete import autocomplete

        autocomplete(parser)


def names(prefix: str, **asked: Any) -> list[str]:
    """The networks and pairs that `parity check` may be given here, and functions of a file; for argcomplete."""
    from pathlib import Path

    from parity import recipes
    from parity.cli.pairs.configuration import listed
    from parity.pair.arrays.target import functions

    del asked
    place, colon, _ = prefix.rpartition(":")
    if colon:
        return [f"{place}:{function}" for function in functions(place)]
    try:
        pairs = [*listed(Path())]
    except UsageError:
        pairs = []
    return [*recipes.every(), *recipes.GROUPS, *pairs, *_files(prefix)]


def _files(prefix: str) -> list[str]:
    """Folders and Python files that a prefix may go on to; of a file its function is to follow."""
    from pathlib import Path

    folder = Path(prefix) if prefix.endswith("/") else Path(prefix).parent
    if not folder.is_dir():
        return []
    paths = sorted(folder.iterdir())
    return [f"{path}/" for path in paths if path.is_dir()] + [f"{path}:" for path in paths if path.suffix == ".py"]
