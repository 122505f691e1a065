"""`parity bugs`: plant known bugs, one at a time, and show which rung catches each."""

import argparse
from typing import Any

from parity.cli import options


def add(commands: Any) -> None:
    """Declare the command and its options."""
    bugs = commands.add_parser("bugs", help="plant known bugs, one at a time, and show which rung catches each")
    bugs.add_argument("ids", nargs="*", metavar="BUG", help="all if none is named")
    options.add_seed(bugs)
    options.add_json(bugs)
    options.add_quiet(bugs)
    bugs.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from parity.backends.processes.configuration import keep_compiled_programs
    from parity.bugs import run
    from parity.cli import bugs_table
    from parity.cli.shown.progress import ShownProgress
    from parity.files import require_writable
    from parity.report import terminal

    require_writable("--json", arguments.json)
    keep_compiled_programs()
    with ShownProgress(arguments.quiet) as progress:
        outcomes = run.run(arguments.ids, seed=arguments.seed, progress=progress.note)
    if arguments.json:
        bugs_table.write(outcomes, arguments.json)
    bugs_table.show(terminal.console(), outcomes)
    return 0 if all(outcome.as_expected for outcome in outcomes) else 1
