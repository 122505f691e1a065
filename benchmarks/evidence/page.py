"""docs/evidence.md, the README's block and the tables beside the newest record.

python -m benchmarks.evidence.page [--check]
"""

import argparse
import sys
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from benchmarks.evidence import mutants_page, plots, slow, summary, tables
from benchmarks.evidence.mutants import explanations
from benchmarks.evidence.record import ROOT, Evidence, newest, read
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
    record = read(newest())
    if not checked:
        for name, figure in drawings(record).items():
            write_atomically(record.folder / name, drawing.file(figure, record.folder.name))
    return blocks.update(
        PAGES,
        made(record),
        check=checked,
        source=str(record.folder),
        command=COMMAND,
        tables={record.folder / name: text for name, text in files(record).items()},
    )


def made(record: Evidence) -> dict[str, str]:
    """Name of a block of the pages → its text."""
    place = f"../benchmarks/records/{record.folder.name}"
    return {
        "sure": summary.short(record),
        "summary": summary.table(record, place),
        "rungs": summary.rungs(record.bugs),
        "figure-sizes": f"![Gap over expected rounding against the size of a bug]({place}/graded.svg)",
        "figure-margins": f"![The gaps of correct networks and of networks with a bug]({place}/margins.svg)",
    }


def files(record: Evidence) -> dict[str, str]:
    """Name of a file beside the record → its whole text, with its tables."""
    written: Mapping[str, tuple[str, str, list[str]]] = {
        "bugs.md": ("Every known bug", "bugs.json", [tables.matrix(record.bugs)]),
        "causes.md": ("Causes of bugs in brought pairs", "causes.json", [tables.causes(record.causes)]),
        "graded.md": ("Bugs of falling size", "graded.json", [tables.sizes(record.graded)]),
        "draws.md": (
            "Random networks",
            "bug.jsonl",
            [tables.rates(record.correct, record.wrong), "By the kind of bug:", tables.kinds(record.wrong)],
        ),
        "margins.md": ("Both sides of the threshold", "margins.json", [tables.threshold(record)]),
        "mutants.md": (
            "Mutants of the checks",
            "mutants.json",
            [mutants_page.block(record.mutants, explanations())],
        ),
        "slow.md": ("The tests that take minutes each", "slow.json", [slow.block(record.slow)]),
    }
    return {name: blocks.beside(title, source, COMMAND, *parts) for name, (title, source, parts) in written.items()}


def drawings(record: Evidence) -> dict[str, Figure]:
    """Name of a drawing's file → its figure."""
    same, caught = ([gap.share for gap in gaps] for gaps in (record.same, record.told))
    return {"graded.svg": plots.curve(record.graded), "margins.svg": plots.margins(same, caught, record.threshold)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
