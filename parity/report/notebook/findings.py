"""The findings of a report as flat records, of which `pandas.DataFrame` makes a table."""

from typing import Any

from parity.checks.verdict import Finding, Rung
from parity.report.records import SIDES, ReportData


def records(report: ReportData) -> list[dict[str, Any]]:
    """One record for each comparison, in the order of the rungs; all have the same keys.

    What one side has is under a key for each: `error_flax` and `error_torch`, `bits_…`, `value_…`; None where the
    referee has no such number.
    """
    return [_record(rung, finding) for rung in report.rungs for finding in rung.findings]


def _record(rung: Rung, finding: Finding) -> dict[str, Any]:
    numbers = {"error": finding.errors, "bits": finding.bits, "value": finding.values}
    return {
        "rung": rung.number,
        "rung_name": rung.name,
        "quantity": finding.quantity,
        "name": finding.name,
        "mode": finding.mode,
        "verdict": str(finding.verdict),
        "share": finding.share,
        "gap": finding.gap,
        **{f"{word}_{side}": held.get(side) for word, held in numbers.items() for side in SIDES},
        "index": finding.index,
        "reason": finding.reason,
    }
