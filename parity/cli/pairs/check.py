"""`parity check` on pairs that users bring."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from parity.cli.pairs.chosen import Pair
from parity.errors import UsageError
from parity.pair.arrays import target

if TYPE_CHECKING:
    from parity.pair.process.child import Asked
    from parity.report.listener import Listener
    from parity.report.pair import Report

ONE_PAIR = ("map_out", "repro")
"""Options whose file is of one pair."""


def require(arguments: argparse.Namespace, pairs: Sequence[Pair]) -> None:
    """See that the pairs can be made and that files can be written, before anything slow is loaded.

    Raises:
        UsageError: A target, the file of a map or a place to write to is not there.
    """
    from parity.files import require_writable

    for pair in pairs:
        target.require_function(pair.target)
    for option in ONE_PAIR:
        place = getattr(arguments, option)
        require_writable(f"--{option.replace('_', '-')}", place)
        if place and len(pairs) != 1:
            raise UsageError(f"--{option.replace('_', '-')} got {len(pairs)} pairs, and its file is of one; name one")


def check(arguments: argparse.Namespace, pairs: Sequence[Pair], listener: "Listener") -> int:
    """Check the pairs that functions in files make.

    Args:
        arguments: The parsed options of `parity check`.
        pairs: The pairs, of which `require` has seen that they are there.
        listener: Called as the checks go on.

    Returns:
        The exit code of the worst: 1 if any pair is different, else 2 if any is not what it should be, else 3 if any
        is inconclusive, else 0.

    Raises:
        UsageError: An option, a place to write to or the only pair is not what it should be.
    """
    from parity.cli import files
    from parity.report import pair_json, pair_terminal, terminal
    from parity.report.exit_codes import exit_code

    places = files.require_places(arguments, len(pairs))
    made = _reports(arguments, pairs, listener)
    answers = list(zip(pairs, made, strict=True))
    errors = [f"{pair.name}: {answer}" for pair, answer in answers if isinstance(answer, UsageError)]
    reports = [pair.named(answer) for pair, answer in answers if not isinstance(answer, UsageError)]
    if not reports and isinstance(made[0], UsageError):
        raise made[0]
    written = files.write(reports, places, pair_json.write_all)
    if arguments.repro and reports[0].repro_script:
        written += reports[0].repro(arguments.repro)
    out = terminal.console()
    for report in reports:
        pair_terminal.show(out, report, show_map=arguments.show_map, quiet=arguments.quiet)
    if len(pairs) > 1 and not arguments.quiet:
        pair_terminal.show_all(out, reports)
    if arguments.github:
        _annotate(pairs, made)
    files.say(written + ([arguments.map_out] if arguments.map_out else []), arguments.quiet)
    for error in errors:
        print(f"parity: {error}", file=sys.stderr)
    code = exit_code(report.verdict for report in reports)
    return 2 if errors and code != 1 else code


def _annotate(pairs: Sequence[Pair], made: "Sequence[Report | UsageError]") -> None:
    """Print annotations of the users' lines for all pairs that do not pass."""
    from parity.report.programs.annotations import annotations

    for pair, report in zip(pairs, made, strict=True):
        if not isinstance(report, UsageError):
            file, line = target.require_file(pair.target), target.line_of(pair.target)
            print(*annotations(pair.named(report), file, line), sep="\n", end="\n" if not report.verdict.passes else "")


def _reports(
    arguments: argparse.Namespace, pairs: Sequence[Pair], listener: "Listener"
) -> "Sequence[Report | UsageError]":
    """The report on each pair, or its error; they are compared in this process or in one of their own."""
    from parity.pair.process import parent

    requests = [pair.asked(arguments) for pair in pairs]
    if not arguments.in_process:
        return parent.check(requests, listener)
    return [_here(request, listener) for request in requests]


def _here(asked: "Asked", listener: "Listener") -> "Report | UsageError":
    from parity.pair.passes.progress import Progress
    from parity.pair.process import child

    try:
        report = child.checked(asked, Progress(lambda text: listener.note(f"{asked.target}: {text}")))
    except UsageError as error:
        return error
    listener.ended(asked.target, report.rungs)
    return report
