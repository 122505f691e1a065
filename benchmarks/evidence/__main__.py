"""The record of docs/evidence.md made anew: `python -m benchmarks.evidence [--out FOLDER]`, from where it was stopped.

It took about five hours of a core on 2026-11-28, nearly four of them the random networks.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.evidence.record import ROOT

Command = list[str]
DRAWN = 200
"""Drawn bugs that are repaired; each takes about ten seconds of a core."""


def main(argv: list[str]) -> int:
    """Make the missing parts of the record one after the other, then the pages; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, help="folder of the record (benchmarks/records/DATE-evidence)")
    folder = parser.parse_args(argv).out or ROOT / "benchmarks" / "records" / f"{time.strftime('%Y-%m-%d')}-evidence"
    folder.mkdir(parents=True, exist_ok=True)
    for path, command in parts(folder):
        if path.suffix == ".jsonl" or not path.exists():
            print(" ".join(command), file=sys.stderr, flush=True)
            if ended := subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode:
                print(f"{' '.join(command)} ended with {ended}", file=sys.stderr)
                return ended
    return subprocess.run([sys.executable, "-m", "benchmarks.evidence.page"], cwd=ROOT, check=False).returncode


def parts(folder: Path) -> Iterator[tuple[Path, Command]]:
    """Each file of the record with the command that makes it, without the interpreter."""
    commands = {"bugs": "parity bugs"} | {
        name: f"benchmarks.evidence.{name}" for name in ("causes", "repairs", "slow", "graded", "mutants")
    }
    commands["drawn_repairs"] = f"benchmarks.evidence.repairs --drawn {DRAWN}"
    for name, command in {**commands, "margins": "benchmarks.evidence.margins"}.items():
        path = folder / f"{name}.json"
        yield path, [*command.split(), "--json", str(path)]
    for kind in ("correct", "bug"):
        path = folder / f"{kind}.jsonl"
        yield path, ["benchmarks.evidence.draws", kind, "--out", str(path)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
