"""Runs tests with the lowest and the newest versions that pyproject.toml allows, on each Python.

    python -m benchmarks.versions [TEST…]                      all three Pythons, all tests: hours
    python -m benchmarks.versions --python 3.13 --end newest tests/packaging
    python -m benchmarks.versions --json FILE …                add what came of it to a record
    python -m benchmarks.versions --page [--check]             write, or compare, the table in CONTRIBUTING.md

Each environment is made once, below `build/versions`, and brought up to date after that.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.versions import page, record
from benchmarks.versions.environment import ENDS, Environment, interpreter
from parity.errors import UsageError
from parity.files import require_writable

PYTHONS = ("3.11", "3.12", "3.13")


def main(argv: Sequence[str]) -> int:
    """Run the command line; return 1 where an environment could not be made or a test failed, 2 for a usage error."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.page:
            return page.update(check=arguments.check)
        return _run(arguments)
    except UsageError as error:
        print(f"versions: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    require_writable("--json", arguments.json)
    pythons = arguments.python or PYTHONS
    for python in pythons:
        interpreter(python)
    worst = 0
    for python in pythons:
        for end in arguments.end or ENDS:
            result = _result(python, end, arguments)
            worst = max(worst, int(not record.green(result)))
            print(record.line(result), flush=True)
            if arguments.json:
                record.add(Path(arguments.json), result)
    return worst


def _result(python: str, end: str, arguments: argparse.Namespace) -> record.Result:
    """What came of one environment."""
    environment = Environment(python, end, Path(arguments.folder).resolve() / f"{python}-{end}")
    print(f"Python {python}, {end}: installing", file=sys.stderr, flush=True)
    start: record.Result = {"python": python, "end": end, "tests": arguments.tests, "versions": {}, "exit_code": -1}
    if fault := environment.make():
        return {**start, "output": fault}
    versions = environment.versions()
    print(f"Python {python}, {end}: testing", file=sys.stderr, flush=True)
    tested: Any = environment.test(arguments.tests)
    return {**start, "versions": versions, **tested}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tests", nargs="*", metavar="TEST", help="what pytest is given (all tests)")
    parser.add_argument(
        "--python", action="append", metavar="VERSION", help=f"such as 3.12; may be repeated ({', '.join(PYTHONS)})"
    )
    parser.add_argument("--end", action="append", choices=ENDS, help="of the ranges; may be repeated (both)")
    parser.add_argument(
        "--folder", default=str(ROOT / "build" / "versions"), help="of the environments (build/versions)"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="record to add to, such as benchmarks/records/DATE-versions.json"
    )
    parser.add_argument("--page", action="store_true", help="write the table of the newest record into CONTRIBUTING.md")
    parser.add_argument("--check", action="store_true", help="with --page: write nothing; 1 where it differs")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
