"""The table of the versions that were tried, in CONTRIBUTING.md."""

from benchmarks import RECORDS, ROOT
from benchmarks.pages import blocks
from benchmarks.speed.pages.table import markdown
from benchmarks.versions.record import Record, read, totals
from parity.errors import UsageError

COMMAND = "python -m benchmarks.versions --page"
SHOWN = ("jax", "flax", "torch", "numpy", "scipy")


def update(*, check: bool) -> int:
    """Write the table of the newest record, or compare it; return 1 if `check` and it differs.

    Raises:
        UsageError: There is no record, or it is not what it should be.
    """
    records = sorted(RECORDS.glob("*-versions.json"))
    if not records:
        raise UsageError("there is no record of versions; make result with python -m benchmarks.versions --json FILE")
    texts = {"versions": block(read(records[-1]))}
    return blocks.update([ROOT / "CONTRIBUTING.md"], texts, check=check, source=records[-1].name, command=COMMAND)


def block(record: Record) -> str:
    """The table, with a row for each Python and end of the ranges."""
    rows = []
    for result in record["results"]:
        tests = ", ".join(f"`{name}`" for name in result["tests"]) or "all"
        counts = map(str, totals(result).values()) if result["versions"] else ("could not be installed", "", "")
        rows.append(
            [result["python"], result["end"], *(result["versions"].get(name, "–") for name in SHOWN), tests, *counts]
        )
    return markdown(("Python", "end", *SHOWN, "tests", "passed", "failed", "skipped"), rows)
