"""The gallery: networks that others wrote for both frameworks, each with its truth and the tool's verdict.

    python -m benchmarks.pairs.gallery --out FOLDER [PAIR…]   measure, a pair a fresh process; what is there is kept
    python -m benchmarks.pairs.gallery --record FOLDER FILE   make one record of it
    python -m benchmarks.pairs.gallery --page [--check]       write, or compare, docs/gallery.md

Measuring needs the packages of `benchmarks.pairs.gallery.shims.PACKAGES`.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.pages.blocks import update
from benchmarks.pairs import arguments
from benchmarks.pairs.gallery import measure, page
from benchmarks.pairs.gallery.catalogue import PAIRS
from benchmarks.pairs.gallery.ledger import LEDGER, shown
from benchmarks.pairs.gallery.makers.shims import packages
from benchmarks.pairs.gallery.record import REMEDY, GalleryRecord, PairResult
from parity import documents
from parity.backends.flax.tracing.quick import QUICKEST, flags
from parity.errors import UsageError
from parity.files import write_atomically
from parity.report.environment import commit, hardware

PAGE = ROOT / "docs" / "gallery.md"
COMMAND = "python -m benchmarks.pairs.gallery --page"
LONGEST = 900.0
"""Seconds after which the check of a pair is ended."""


def main(argv: list[str]) -> int:
    """Measure, make a record, or write the page; return the exit code."""
    words = arguments.parser(
        "benchmarks.pairs.gallery",
        __doc__,
        nargs=2,
        metavar=("WHAT", "FILE"),
        help="measure one thing of one pair in this process",
    )
    return arguments.run(_done, words, argv)


def _done(chosen: argparse.Namespace) -> int:
    for name in chosen.names:
        if name not in PAIRS:
            raise UsageError(f"pair got {name!r}; expected one of {', '.join(PAIRS)}")
    if chosen.one:
        return _measure_here(chosen.one[0], Path(chosen.one[1]), chosen.names)
    if chosen.out:
        return run(chosen.out, chosen.names or list(PAIRS))
    if chosen.record:
        _record(*chosen.record)
    if chosen.page:
        path = newest()
        blocks = page.blocks(documents.read(path, GalleryRecord, REMEDY))
        return update([PAGE], blocks, check=chosen.check, source=path.name, command=COMMAND)
    return 0


def newest() -> Path:
    """The newest record."""
    return sorted((ROOT / "benchmarks" / "records").glob("*-gallery.json"))[-1]


def run(folder: Path, names: list[str]) -> int:
    """Measure the truth and the verdict of every named pair that is not in the folder yet; return 0.

    Args:
        folder: The folder of the files, which is made if it is not there.
        names: The pairs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(what, folder / f"{name}.{what}.json", [name]) for name in names for what in ("truth", "verdict")]
    for what, file, pair in [("ledger", folder / "ledger.json", []), *wanted]:
        if not file.exists():
            print(file.stem, file=sys.stderr)
            _in_a_process(what, file, pair)
    return 0


def _record(folder: Path, target: Path) -> None:
    """Make one record of what is in a folder; pairs that were not measured are left out."""
    printed = folder / "ledger.json"
    document: GalleryRecord = {
        "about": ABOUT,
        "versions": documents.read(printed, dict, REMEDY)["versions"],
        "hardware": hardware(),
        "commit": commit(),
        "pairs": {name: result for name in PAIRS if (result := _result(folder, name)) is not None},
        "ledger": documents.read(printed, dict, REMEDY)["printed"],
    }
    documents.require(document, GalleryRecord, str(target), REMEDY)
    _write(target, dict(document))


ABOUT = (
    "small settings, random weights, programs compiled without XLA's optimisations; gaps are norms of differences over "
    "PyTorch's norms, the largest of all outputs and gradients"
)


def _result(folder: Path, name: str) -> PairResult | None:
    pair = PAIRS[name]
    truth, verdict = (folder / f"{name}.{what}.json" for what in ("truth", "verdict"))
    if not verdict.exists() or not (truth.exists() or pair.because):  # a difference has its evidence in the ledger
        return None
    established = documents.read(truth, dict, REMEDY) if truth.exists() else {}
    report = documents.read(verdict, dict, REMEDY)
    return {
        "package": pair.package, "truth": pair.truth, "because": list(pair.because), "accept": list(pair.accept),
        "established": established, "told": report,
    }  # fmt: skip


def _in_a_process(what: str, file: Path, names: list[str]) -> None:
    """Run this module for one thing; what ends the process is written in place of a result."""
    command = [sys.executable, "-m", "benchmarks.pairs.gallery", "--one", what, str(file), *names]
    try:
        ended = subprocess.run(
            command,
            env={**os.environ, "XLA_FLAGS": flags(QUICKEST)},
            timeout=LONGEST,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _write(file, {"verdict": "timeout", "error": f"took more than {LONGEST:.0f} s"})
    else:
        if ended.returncode:
            _write(file, {"verdict": "crash", "error": ended.stderr.strip()[-2000:]})


def _measure_here(what: str, file: Path, names: list[str]) -> int:
    """Measure the truth or the verdict of the named pair, or run the ledger's lines; in this process."""
    if what == "ledger":
        _write(file, {"versions": packages(), "printed": {name: shown(entry) for name, entry in LEDGER.items()}})
    else:
        pair = PAIRS[names[0]]
        _write(file, measure.truth(pair) if what == "truth" else measure.verdict(names[0], pair))
    return 0


def _write(file: Path, result: dict[str, Any]) -> None:
    write_atomically(file, json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
