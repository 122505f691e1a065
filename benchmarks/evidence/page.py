"""docs/evidence.md, the README's block and the tables beside the newest record.

python -m benchmarks.evidence.page [--check]
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.evidence import mutants_page, plots, slow, summary, tables
from benchmarks.evidence.drawn_record import FILES
from benchmarks.evidence.mutants import explanations
from benchmarks.evidence.record import ROOT, Evidence, read
from benchmarks.pages import blocks, drawing
from parity.errors import UsageError
from parity.files import write_atomically

PAGES = (ROOT / "docs" / "evidence.md", ROOT / "README.md")
COMMAND = "python -m benchmarks.evidence.page"


def main(argv: Sequence[str]) -> int:
    """Write the pages, the tables and the drawings, or check the pages and the tables; return the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; 1 where a page does not say what is on record"
    )
    try:
        return _done(checked=parser.parse_args(argv).check)
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _done(*, checked: bool) -> int:
    record = read()
    if not checked:
        for path, figure in drawings(record).items():
            write_atomically(path, drawing.file(figure, path.parent.name))
    return blocks.update(
        PAGES,
        made(record),
        check=checked,
        source=", ".join(sorted({str(folder) for folder in record.folders.values()})),
        command=COMMAND,
        tables=files(record),
    )


def made(record: Evidence) -> dict[str, str]:
    """Name of a block of the pages → its text."""
    graded, margins = (summary.place(record.folders[part]) for part in ("graded", "margins"))
    return {
        "sure": summary.short(record),
        "summary": summary.table(record),
        "rungs": summary.rungs(record.bugs),
        "figure-sizes": f"![Gap over expected rounding against the size of a bug]({graded}/graded.svg)",
        "figure-margins": f"![The gaps of correct networks and of networks with a bug]({margins}/margins.svg)",
    }


def files(record: Evidence) -> dict[Path, str]:
    """Path of a file beside its part of the record → its whole text, with its tables."""
    written: Mapping[str, tuple[str, str]] = {
        "bugs": ("Every known bug", tables.matrix(record.bugs)),
        "causes": ("Causes of bugs in brought pairs", tables.causes(record.causes)),
        "repairs": ("Repairs of bugs in source files", tables.repairs(record.repairs)),
        "drawn_repairs": ("Repairs of drawn bugs in source files", tables.repairs(record.drawn_repairs)),
        "graded": ("Bugs of falling size", tables.sizes(record.graded)),
        "margins": ("Both sides of the threshold", tables.threshold(record)),
        "mutants": ("Mutants of the checks", mutants_page.block(record.mutants, explanations())),
        "slow": ("The tests that take minutes each", slow.block(record.slow)),
    }
    texts = {
        record.folders[part] / f"{part}.md": blocks.beside(title, f"{part}.json", COMMAND, text)
        for part, (title, text) in written.items()
    }
    for draws in record.draws:
        parts = [tables.rates(draws), "By the kind of bug:", tables.kinds(draws.wrong)]
        if blocks_drawn := tables.blocks(draws.correct):
            parts += ["Correct networks, by the blocks in them:", blocks_drawn]
        texts[draws.folder / "draws.md"] = blocks.beside("Random networks", FILES[1], COMMAND, *parts)
    return texts


def drawings(record: Evidence) -> dict[Path, Figure]:
    """Path of a drawing → its figure."""
    same, caught = ([gap.share for gap in gaps] for gaps in (record.same, record.caught))
    return {
        record.folders["graded"] / "graded.svg": plots.curve(record.graded),
        record.folders["margins"] / "margins.svg": plots.margins(same, caught, record.threshold),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
