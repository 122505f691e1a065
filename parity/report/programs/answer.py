"""What a program that acts on a report needs: place, cause, mend and what is to be done next."""

from typing import Any

from parity.checks.verdict import Verdict
from parity.report.pair_words import sentence, summary
from parity.report.records import ReportData


def answer(report: ReportData) -> dict[str, Any]:
    """The keys `place`, `cause`, `mend` and `next` of the JSON report; None where there is no such thing. What else
    differs once the cause is undone is under `first_difference.further`.

    `place` says where the first difference is: rung, mode, both layers, the index of the worst element, and each
    side's value there and line of source, where it is known. `next` is one sentence for whoever acts on the report.
    """
    first = report.first_difference
    place = None
    if first is not None:
        place = {
            "rung": first.rung,
            "mode": first.mode or None,
            "layer_flax": first.layer_flax or None,
            "layer_torch": first.layer_torch or None,
            "text": first.text,
            "index": list(first.index),
            "values": dict(first.values),
            "lines": dict(first.lines),
        }
    cause, mend = (None, None) if first is None else (first.cause or None, first.mend or None)
    return {"place": place, "cause": cause, "mend": mend, "next": next_step(report)}


def next_step(report: ReportData) -> str:
    """One sentence: what is to be done now."""
    first, headline = report.first_difference, report.headline
    if report.verdict is Verdict.SAME:
        return "Nothing: the two are the same function."
    if report.verdict is Verdict.LESS_ACCURATE:
        why = sentence(headline) if headline is not None else summary(report)
        return f"Nothing has to be done; where accuracy matters, look at what is less accurate: {why}."
    if report.verdict is Verdict.INCONCLUSIVE:
        why = sentence(headline) if headline is not None else summary(report)
        return f"Take away what hinders the comparison and check again: {why}."
    if acceptable := [c.name for c in report.conventions if c.confirmed and not c.accepted]:
        flags = " ".join(f"--accept {name}" for name in acceptable)
        return f"Mend it, or accept it where it is no difference to you ({flags}); check again."
    if first is not None and first.mend:
        return f"{first.mend[0].upper()}{first.mend[1:]}; check again."
    if report.repro_script:
        return "Run the script of --repro, which shows the difference alone; mend one of the two sides, check again."
    return "Compare the two sides at the place of the first difference, mend one of them, and check again."
