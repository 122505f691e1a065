"""Names the first layer where two networks part, from what every layer did in the free run and alone."""

from collections.abc import Sequence
from dataclasses import replace

from parity.checks.verdict import Finding, Verdict, worst
from parity.interface.trace import call_path

Blame = tuple[Finding, str]


def blame_forward(free: Sequence[Finding], alone: Sequence[Finding]) -> Blame | None:
    """The first call, in the order in which calls end, that has the worst verdict of all.

    A call that is wrong on an equal input is to blame itself. One that is right alone and wrong in the free run got
    another input: then the code that makes its input is to blame.
    """
    target = worst(finding.verdict for finding in (*free, *alone))
    by_call = {finding.name: finding for finding in alone}
    for finding in free if target is not Verdict.SAME else ():
        itself = by_call.get(finding.name, finding)
        if itself.verdict is target or (finding.verdict is target and not itself.verdict.passes):
            return itself, call_path(itself.name) or "network"
        if finding.verdict is target:
            return finding, f"input of {call_path(finding.name) or 'network'}"
    return None


def first_of_worst(blamed: Sequence[Blame | None]) -> Blame | None:
    """The first with the worst verdict among what is blamed in several modes; None where nothing is."""
    blames = [blame for blame in blamed if blame is not None]
    target = worst(finding.verdict for finding, _ in blames)
    return next((blame for blame in blames if blame[0].verdict is target), None)


def inherit(free: Sequence[Finding], alone: Sequence[Finding]) -> list[Finding]:
    """Where a call could not be ruled on, what follows from it in the free run cannot be called different."""
    guilty = {finding.name for finding in alone if finding.verdict is Verdict.DIFFERENT}
    passed: list[Finding] = []
    source = ""
    for finding in free:
        if finding.verdict is Verdict.INCONCLUSIVE and not source:
            source = finding.name
        if source and finding.verdict is Verdict.DIFFERENT and finding.name not in guilty:
            finding = replace(finding, verdict=Verdict.INCONCLUSIVE, reason=f"follows from {source}")
        passed.append(finding)
    return passed


def blame_backward(
    loss: Sequence[Finding],
    training: Sequence[Finding],
    free: Sequence[Finding],
    ends: Sequence[Finding],
    alone: Sequence[Finding],
) -> Blame | None:
    """The first place, going backward, that has the worst verdict of all.

    Args:
        loss, training: the loss and its gradients as the optimizer gets them.
        free: gradients of every call's output, in the order in which calls end.
        ends: gradients of parameters and of the input.
        alone: gradients of every call alone, on an equal input and cotangent.
    """
    target = worst(finding.verdict for finding in (*loss, *training, *free, *ends, *alone))
    if target is Verdict.SAME:
        return None
    order = [finding.name for finding in free]
    wrong = [finding for finding in alone if finding.verdict is target]
    if wrong:
        last = max(wrong, key=lambda finding: order.index(finding.name.partition(":")[0]))
        return last, call_path(last.name.partition(":")[0]) or "network"
    for finding in reversed(free):
        if finding.verdict is target:
            return finding, f"what uses the output of {call_path(finding.name) or 'network'}"
    for findings, layer in ((ends, ""), (loss, "loss"), (training, "training gradients")):
        for finding in findings:
            if finding.verdict is target:
                return finding, layer or finding.name
    return None
