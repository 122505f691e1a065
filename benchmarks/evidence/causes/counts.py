"""What the rows of a record on causes add up to."""

from collections.abc import Mapping, Sequence
from typing import Any


def counted(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many bugs there are, and how many were caught, placed, named, proven, named rightly and wrongly; and of those
    in functions without submodules, how many were placed at their line, and at both sides' lines."""
    counts = {"bugs": len(rows)}
    counts |= {what: sum(bool(row[what]) for row in rows) for what in ("caught", "placed", "cause", "right", "wrong")}
    return {**counts, "proven": sum(bool(row["proof"]) for row in rows), **operations(rows)}


def operations(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count the bugs in functions without submodules whose line is known, and those of them at which the right line was
    named: on one side at least, on the side of the bug, and on both. What one side lacks has a line on the other."""
    flat = [row for row in rows if row.get("flat") and row.get("at")]
    both = [row for row in flat if len(row["at"]) == 2]
    return {
        "operations": len(flat),
        "at the operation": sum(any(row["at"].values()) for row in flat),
        "at the bug": sum(row["at"][row["side"]] for row in flat),
        "with both lines": len(both),
        "at both lines": sum(all(row["at"].values()) for row in both),
    }
