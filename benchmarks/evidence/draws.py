"""Random networks, correct and with one bug, judged one after the other: `python -m benchmarks.evidence.draws`.

Each is drawn by its number, so that a run resumes where the last one ended, and any of them can be drawn again.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from benchmarks.evidence.drawn.draw import draw
from benchmarks.evidence.drawn.mutate import mutate, places
from benchmarks.evidence.drawn.network import Network, by_seed, to_json
from parity import documents
from parity.backends.flax.tracing.quick import QUICKEST, flags
from parity.documents import Whole
from parity.errors import UsageError
from parity.files import write_atomically

MAKE = "mend the line, or name another --out"
PART = 40
"""Number of draws that one process judges before it makes room for the next."""


class Numbered(TypedDict):
    """The part of a line of the record that a resumed run needs."""

    number: Whole


def drawn(number: int, *, bug: bool) -> tuple[Network, Any]:
    """Draw the network of a number, with a bug if asked; where no bug fits, the next network of the stream is drawn."""
    choose = by_seed(number)
    while True:
        network = draw(choose)
        mutant = mutate(choose, network) if bug else None
        if mutant is not None or not bug:
            return network, mutant


def judged(number: int, *, bug: bool) -> dict[str, Any]:
    """Draw the network of a number and judge it; return its line of the record."""
    from benchmarks.evidence.drawn.effect import why_it_passes
    from benchmarks.evidence.drawn.judge import judge

    network, mutant = drawn(number, bug=bug)
    line = _about(number, network, mutant)
    started = time.perf_counter()
    try:
        judgement = asdict(judge(network, mutant))
        if mutant is not None and judgement["verdict"].passes:
            judgement["why"] = why_it_passes(network, mutant)
    except Exception as error:
        judgement = {
            "verdict": "error",
            "error": f"{type(error).__name__}: {error}",
            "at": traceback.format_exc()[-2000:],
        }
    line |= judgement | {"seconds": round(time.perf_counter() - started, 2)}
    return line if line["verdict"] == ("different" if bug else "same") else line | {"network": to_json(network)}


def _about(number: int, network: Network, mutant: Any) -> dict[str, Any]:
    """The first entries of a line: the number, the kinds of the blocks, and the bug if there is one."""
    line = {"number": number, "kinds": sorted({block.kind for _, block in places(network.blocks)})}
    if mutant is None:
        return line
    return line | {"mutation": mutant.mutation.name, "side": mutant.side, "place": list(mutant.place)}


def main(argv: list[str]) -> int:
    """Judge all draws below --until that the record lacks; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.draws", description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=("correct", "bug"))
    parser.add_argument("--until", type=int, default=2000, help="numbers below this are judged (2000)")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, added to")
    parser.add_argument("--part", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    try:
        return _done(arguments)
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _done(arguments: argparse.Namespace) -> int:
    if arguments.part:
        for number in range(*arguments.part):
            _add(arguments.out, judged(number, bug=arguments.kind == "bug"))
        return 0
    for first, last in _missing(arguments.out, arguments.until):
        print(f"{arguments.kind}: {first} to {last - 1} of {arguments.until}", file=sys.stderr, flush=True)
        if (ended := _part(arguments, first, last)) and (lost := next(_missing(arguments.out, last), None)):
            number = lost[0]  # the process died at it: once more, alone
            if again := _part(arguments, number, number + 1):
                error = f"the process ended with {ended}, and alone with {again}"
                about = _about(number, *drawn(number, bug=arguments.kind == "bug"))
                _add(arguments.out, {**about, "verdict": "error", "error": error})
            else:
                print(f"{arguments.kind} {number}: the process ended with {ended}; alone it did not", file=sys.stderr)
    return 0


def _part(arguments: argparse.Namespace, first: int, last: int) -> int:
    """Judge draws `first` to `last` in a process of their own; return its exit code."""
    command = [sys.executable, "-X", "faulthandler", "-m", "benchmarks.evidence.draws", arguments.kind]
    part = ["--out", str(arguments.out), "--part", str(first), str(last)]
    environment = {"XLA_FLAGS": flags(QUICKEST), **os.environ}  # a user may set others
    return subprocess.run([*command, *part], env=environment, check=False).returncode


def _add(out: Path, line: dict[str, Any]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a") as file:
        file.write(json.dumps(line) + "\n")


def _mend(out: Path) -> None:
    """Remove the torn last line of a killed process, which the next line would be written after."""
    if out.exists():
        lines = out.read_bytes()
        if (whole := documents.whole(lines)) != lines:
            write_atomically(out, whole)


def _missing(out: Path, until: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of draws that are still to be judged; the record is read anew after each."""
    while True:
        _mend(out)
        done = {line["number"] for line in documents.read_lines(out, Numbered, MAKE)} if out.exists() else set()
        first = next((number for number in range(until) if number not in done), None)
        if first is None:
            return
        last = next((n for n in range(first, min(until, first + PART)) if n in done), min(until, first + PART))
        yield first, last


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
