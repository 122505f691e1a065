"""What the forms of a report on a pair have in common: sentences, what was accepted, what did not run."""

import re

from parity.checks.referee import MARGIN
from parity.checks.verdict import Finding, Rung, Verdict
from parity.report.records import Convention, Difference, ReportData, excusing
from parity.report.terminal import evidence

ANSWERS = {
    Verdict.SAME: "The two networks are the same function.",
    Verdict.LESS_ACCURATE: "The two networks are the same function, but one framework computes it less accurately.",
    Verdict.INCONCLUSIVE: "The referee could not rule. This does not count as a pass.",
    Verdict.DIFFERENT: "The two networks are not the same function.",
}

_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    r"""The text with what neither XML nor UTF-8 can hold written out, such as "\u001b"."""
    return _ILLEGAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def times(share: float) -> str:
    """A share of the expected rounding for people: "6.5", "3.2e+07", "inf"."""
    return f"{share:.1f}" if share < MARGIN else f"{share:.1e}"


def summary(report: ReportData) -> str:
    """How much was compared, and how near to the limit the largest gap is."""
    found = [finding for rung in report.rungs for finding in rung.findings]
    if not found:
        return "Nothing was compared"
    largest = times(max(finding.share for finding in found))
    return f"{len(found):,} comparisons; the largest gap is {largest} × expected rounding, {MARGIN:,.0f} is the limit"


def sentence(rung: Rung) -> str:
    """A rung's headline: how near to the limit it came, or what is wrong."""
    found = rung.headline
    if found is None:
        return rung.reason or "nothing was compared"
    if rung.verdict is not Verdict.SAME:
        return "; ".join(part for part in (evidence(found), rung.reason) if part)
    count = f"{len(rung.findings):,} comparison{'s' if len(rung.findings) != 1 else ''}"
    if found.reason:
        return f"{count}; {found.reason}"
    return f"{count}; the largest gap is {times(found.share)} × expected rounding ({_what(found)})"


def _what(finding: Finding) -> str:
    mode = f", {finding.mode}" if finding.mode else ""
    return f"{finding.quantity} of {finding.name or 'the network'}{mode}"


def not_run(report: ReportData) -> dict[int, str]:
    """Why each rung that is not in the report did not run, by number."""
    there = {rung.number for rung in report.rungs}
    return {n: report.not_run.get(n, "it was not reached") for n in report.ladder if n not in there}


def facts(report: ReportData) -> dict[str, str]:
    """What was compared with what: the seed, the device and the inputs, by label."""
    found = {"seed": "" if report.seed is None else str(report.seed), "device": report.device}
    found |= {f"input {one.name}": f"{one.dtype} {one.shape}" for one in report.inputs}
    return {label: words for label, words in found.items() if words}


def accepted(report: ReportData, number: int) -> list[Convention]:
    """The accepted conventions that explain all that differs on a rung."""
    return excusing(report.conventions, number)


def at(index: tuple[int, ...]) -> str:
    """An index for people; that of a single number is "[]"."""
    return f"[{', '.join(map(str, index))}]"


def places(found: Difference) -> dict[str, str]:
    """Where the first difference is and what each side has there, by label; what is not known is left out."""
    lines = {"Flax layer": found.layer_flax, "PyTorch layer": found.layer_torch}
    if found.values:
        lines["worst element"] = at(found.index)
        lines |= {f"{side}'s value there": f"{value:.17g}" for side, value in found.values.items()}
    lines |= {"mode": found.mode, "cause": found.cause, "mend": found.mend}
    return {label: text for label, text in lines.items() if text}
