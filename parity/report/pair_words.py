"""The words that all forms of a report on a pair share: sentences, accepted conventions, rungs that did not run."""

import re

from parity.checks.referee import MARGIN
from parity.checks.verdict import Finding, Rung, Verdict
from parity.errors import counted
from parity.interface.trace import spoken
from parity.report.records import Convention, Difference, ReportData, excusing
from parity.report.terminal import evidence

SIDE_NAMES = {"flax": "Flax", "torch": "PyTorch"}
ANSWERS = {
    Verdict.SAME: "The two networks are the same function.",
    Verdict.LESS_ACCURATE: "The two networks are the same function, but one framework computes it less accurately.",
    Verdict.INCONCLUSIVE: "The referee could not rule. This does not count as a pass.",
    Verdict.DIFFERENT: "The two networks are not the same function.",
}

_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def answer(report: ReportData) -> str:
    """The verdict in a sentence, and that dropout was off where the sides declare it otherwise."""
    dropouts = [lint.text for lint in report.lints if lint.setting == "dropout"]
    if not (dropouts and report.verdict.passes):
        return ANSWERS[report.verdict]
    return f"{ANSWERS[report.verdict]} That is with dropout off, which differs: {'; '.join(dropouts)}."


def clean(text: str) -> str:
    r"""A text in which characters that XML or UTF-8 cannot hold are written out, such as "\u001b"."""
    return _ILLEGAL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def times(share: float) -> str:
    """A share of the expected rounding for people: "6.5", "3.2e+07", "inf"."""
    return f"{share:.1f}" if share < MARGIN else f"{share:.1e}"


def summary(report: ReportData) -> str:
    """Say how much was compared, how much differs by what the user accepts, and how near to the limit the largest gap
    of the rest is."""
    findings = [finding for rung in report.rungs for finding in rung.findings]
    if not findings:
        return "Nothing was compared"
    names = dict.fromkeys(convention.name for rung in report.rungs for convention in accepted(report, rung.number))
    excused = [
        finding
        for rung in report.rungs
        for finding in rung.findings
        if not finding.verdict.passes and accepted(report, rung.number)
    ]
    rest = [finding for finding in findings if not any(finding is other for other in excused)]
    count = counted(len(findings), "comparison")
    if excused:
        count += f"; {len(excused)} of them differ by what you accept ({', '.join(names)})"
    if not rest:
        return count
    what = "the largest gap of the rest" if excused else "the largest gap"
    largest = times(max(finding.share for finding in rest))
    return f"{count}; {what} is {largest} × expected rounding, {MARGIN:,.0f} is the limit"


def sentence(rung: Rung) -> str:
    """A rung's headline: how near to the limit it came, or what is wrong."""
    finding = rung.headline
    if finding is None:
        return rung.reason or "nothing was compared"
    if rung.verdict is not Verdict.SAME:
        return "; ".join(part for part in (evidence(finding), rung.reason) if part)
    count = counted(len(rung.findings), "comparison")
    if finding.reason:
        return f"{count}; {finding.reason}"
    return f"{count}; the largest gap is {times(finding.share)} × expected rounding ({_what(finding)})"


def _what(finding: Finding) -> str:
    mode = f", {finding.mode}" if finding.mode else ""
    name = spoken(finding.name) if finding.quantity.endswith("output") else finding.name or "the network"
    return f"{finding.quantity} of {name}{mode}"


def not_run(report: ReportData) -> dict[int, str]:
    """Number of each rung that is not in the report → the reason why it did not run."""
    there = {rung.number for rung in report.rungs}
    return {n: report.not_run.get(n, "it was not reached") for n in report.ladder if n not in there}


def facts(report: ReportData) -> dict[str, str]:
    """Label → what the check was run with: the seed, the device, and the dtype and shape of each input."""
    labels = {"seed": "" if report.seed is None else str(report.seed), "device": report.device}
    labels |= {f"input {array.name}": f"{array.dtype} {array.shape}" for array in report.inputs}
    return {label: words for label, words in labels.items() if words}


def accepted(report: ReportData, number: int) -> list[Convention]:
    """The accepted conventions that explain all that differs on a rung."""
    return excusing(report.conventions, number)


def at(index: tuple[int, ...]) -> str:
    """An index for people; that of a single number is "[]"."""
    return f"[{', '.join(map(str, index))}]"


def places(difference: Difference) -> dict[str, str]:
    """Label → where the first difference is, what each side has there, and what is known of its cause; where several
    causes were found, they and what they belong to are numbered. What is not known is left out."""
    if not difference.further:
        return {label: text for label, text in {**_of(difference), "then": difference.rest}.items() if text}
    lines = {label if label in PLACES else f"1. {label}": text for label, text in _of(difference).items()}
    for number, each in enumerate(difference.further, 2):
        lines[f"{number}. then differs"] = each.text
        lines |= {f"{number}. {label}": text for label, text in _of(each).items() if label != "mode"}
    lines["then"] = difference.rest
    return {label: text for label, text in lines.items() if text}


PLACES = ("Flax layer", "PyTorch layer", "worst element", "flax's value there", "torch's value there", "mode")
"""Labels of what belongs to the first difference alone, whose number is not told."""


def _of(difference: Difference) -> dict[str, str]:
    """Label → what is known of one difference."""
    lines = {"Flax layer": difference.layer_flax, "PyTorch layer": difference.layer_torch}
    if difference.layer_torch.startswith(("[", ".")):  # a leaf of what is given or returned, which is no layer
        what = "input" if "gradient of input" in difference.text else "result"
        lines = {what: difference.layer_torch}
    if difference.values:
        lines["worst element"] = at(difference.index)
        lines |= {f"{side}'s value there": f"{value:.17g}" for side, value in difference.values.items()}
    lines |= {f"{SIDE_NAMES[side]} line": line for side, line in difference.lines.items()}
    lines |= {"mode": difference.mode, "cause": difference.cause, "proof": difference.proof, "mend": difference.mend}
    lines |= {"suspected, not proven": "; ".join(difference.suspected)}
    return {label: text for label, text in lines.items() if text}
