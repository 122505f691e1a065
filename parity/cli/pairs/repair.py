"""`parity repair`: write the mend of a proven cause into a copy of the sources, and prove the pair again."""

import argparse
from collections.abc import Callable
from typing import Any

from parity.cli import completion, options
from parity.errors import UsageError


def add(commands: Any) -> None:
    """Declare the command and its options."""
    repair = commands.add_parser("repair", help="patch a pair whose cause is proven, and prove it again")
    names = repair.add_argument(
        "target", metavar="FILE.py:FUNCTION", help="makes the pair; or a pair that the folder's configuration lists"
    )
    names.completer = completion.names  # where argcomplete looks
    repair.add_argument(
        "--side", choices=("flax", "torch"), help="the side whose source is edited (the one that the mend names)"
    )
    repair.add_argument("--write", action="store_true", help="write the patched files; without it none is changed")
    repair.add_argument(
        "--rounds", type=options.count, default=8, metavar="N", help="causes that are mended, at most (8)"
    )
    options.add_seed(repair)
    options.add_quiet(repair)
    options.add_json(repair)
    repair.add_argument(
        "--accept", action="append", default=[], metavar="NAME", help="a convention that is no difference to you"
    )
    repair.add_argument("--dropout", choices=("off", "shared"), help="shared: the same draws on both sides (off)")
    repair.add_argument("--no-probes", action="store_true", help="your inputs only")
    repair.add_argument("--training-flag", metavar="NAME", help="Flax's argument that says that it trains")
    repair.add_argument("--map", metavar="FILE", help="weight map to use as it is")
    repair.add_argument("--in-process", action="store_true", help="check in this process; its crash loses the repair")
    repair.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from parity.cli.pairs.chosen import split
    from parity.files import require_writable
    from parity.pair.arrays import target

    pairs, others = split([arguments.target])
    if others or len(pairs) != 1:
        raise UsageError(f"got {arguments.target}; recipes are the project's own: name path/to/file.py:function")
    target.require_function(pairs[0].target)
    require_writable("--json", arguments.json)
    from parity.cli.shown.progress import ShownProgress

    with ShownProgress(arguments.quiet) as progress:
        return _repaired(arguments, pairs[0], progress.note)


def _repaired(arguments: argparse.Namespace, pair: Any, progress: Callable[[str], None]) -> int:
    """Repair a pair, print and write what came of it, and return the exit code of the repaired pair's check."""
    from parity.repairs import document, terminal
    from parity.repairs.api import of_asked
    from parity.report.exit_codes import EXIT_CODES
    from parity.report.terminal import console

    made = of_asked(
        pair.asked(arguments),
        side=arguments.side,
        save=arguments.write,
        rounds=arguments.rounds,
        in_process=arguments.in_process,
        progress=progress,
    )
    if arguments.json:
        document.write(made, arguments.json)
    terminal.show(console(), made, quiet=arguments.quiet)
    return EXIT_CODES[made.verdict]
