"""What the record keeps of a part's result: reports of checks are summed up, all else is kept whole."""

from collections.abc import Mapping
from typing import Any


def kept(kind: str, result: Any) -> Any:
    """The part of a result that is recorded.

    Args:
        kind: kind of the part.
        result: what its process wrote; of checks a report as `parity check --json` writes it.
    """
    if kind == "parity":
        return [summed_up(report) for report in result["results"]]
    return [summed_up(result)] if kind == "pair" else result


def summed_up(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report's verdict, that of each rung, the number of its comparisons, and the largest gap that passed."""
    findings = [finding for rung in report["rungs"] for finding in rung["findings"]]
    shares = [finding["share"] for finding in findings if isinstance(finding["share"], float | int)]
    return {
        "name": report["name"],
        "device": report["device"],
        "verdict": report["verdict"],
        "rungs": {str(rung["number"]): rung["verdict"] for rung in report["rungs"]},
        "comparisons": len(findings),
        "share": max(shares, default=None),
        "cause": report.get("cause") or "",
    }
