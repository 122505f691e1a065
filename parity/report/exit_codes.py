"""The exit codes of the command `parity`."""

from collections.abc import Iterable

from parity.checks.verdict import Verdict, worst

EXIT_CODES = {Verdict.SAME: 0, Verdict.LESS_ACCURATE: 0, Verdict.DIFFERENT: 1, Verdict.INCONCLUSIVE: 3}


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """The exit code of the worst of some verdicts: 0 same, 1 different, 3 inconclusive, also where there is none."""
    return EXIT_CODES[worst(verdicts)]
