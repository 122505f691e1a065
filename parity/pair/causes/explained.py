"""Differences that a finding says by itself, and that a user may accept by name."""

from collections.abc import Iterable, Sequence

from parity.checks.verdict import Finding, Rung, Verdict
from parity.pair.causes.conventions import KNOWN, convention_of_probe
from parity.pair.passes.compared import COMPUTED, ENTRIES, KIND, RANDOM, SHAPE, SIZE
from parity.report.records import Convention

TRAINED, STORED, UNUSED, CONJUGATED = "training", "storage", "unused parameter", "conjugated gradient"
"""Quantities of the findings on what is trained, on dtypes, on parameters that one side has and nothing uses, and on
complex parameters that are trained in other directions."""
DROPPED = "dropout"
"""Quantity of the finding that the sides drop otherwise in training."""
CONSTANT = "constant"
"""Quantity of the finding on a constant of the code of which the sides hold other numbers."""
ORDER = "order of results"
"""Quantity of the finding that the sides return the same results in another order."""
COMPILED = "as compiled"
"""Quantity of the finding that a compiler computes a network wrongly."""
PROBED = "result with "
"""What the quantity of a probe's finding begins with; then comes the probe's name."""
PROBED_GRADIENT = "gradient with "
"""The same of a finding on a gradient."""
PROBED_LOSS = "loss with "
"""The same of a finding on the value of a loss."""
PROBED_OPTIMIZER = "optimizer with "
"""The same of a finding on an optimizer."""
PREFIXES = (PROBED, PROBED_GRADIENT, PROBED_LOSS, PROBED_OPTIMIZER)
CONVENTIONS = {
    ENTRIES: "extra_outputs",
    SHAPE: "output_shape",
    KIND: "output_kind",
    TRAINED: "frozen",
    UNUSED: "unused_parameters",
    STORED: "stored_dtype",
    CONJUGATED: "conjugate_gradients",
    COMPUTED: "computed_dtype",
    COMPILED: "compiler",
    CONSTANT: "constants",
    DROPPED: "dropout",
    ORDER: "output_order",
    "tie": "tied_weights",
}
"""Quantity of a finding → name of the convention that it is."""
SENTENCES = {
    ENTRIES: "the networks return other sets of results in {mode}: {reason}",
    SHAPE: "the shape of the result {name} differs in {mode}: {reason}",
    SIZE: "the result {name} has not as many numbers on both sides in {mode}: {reason}",
    ORDER: "the networks return their results in another order, with layers of equal names as one: {reason}",
    KIND: "the result {name} is of another kind of number in {mode}: {reason}",
    RANDOM: "{reason}",
    TRAINED: "{name} is not trained on both sides: {reason}",
    UNUSED: "{reason}",
    STORED: "the same formula, stored otherwise: {reason}",
    COMPUTED: "{reason}",
    COMPILED: "{reason}",
    CONSTANT: "{reason}",
    DROPPED: "the sides drop otherwise in training: {reason}",
    CONJUGATED: "the gradient of {name} differs: {reason}",
}
"""Quantity of a finding → what is said of its difference."""
MOST = 3
"""Findings of one convention that are told in full."""


def convention_of(finding: Finding) -> str:
    """Name of the convention that a finding's difference is, "" if it is none."""
    return convention_of_probe(probe_of(finding)) or CONVENTIONS.get(finding.quantity, "")


def probe_of(finding: Finding) -> str:
    """Name of the probe that found it, "" if it was none."""
    prefix = next((p for p in PREFIXES if finding.quantity.startswith(p)), None)
    return "" if prefix is None else finding.quantity.removeprefix(prefix)


def only_probes(rung: Rung) -> bool:
    """Whether all that differs on a rung differs beyond the user's own inputs only."""
    odd = [finding for finding in rung.findings if finding.verdict is Verdict.DIFFERENT]
    return bool(odd) and all(map(probe_of, odd))


def sentence_of(finding: Finding) -> str:
    """What is said of the difference, "" if that is nothing of its own."""
    text = SENTENCES.get(finding.quantity, "")
    return text.format(name=finding.name, mode=finding.mode, reason=finding.reason)


def explained(findings: Iterable[Finding]) -> bool:
    """Whether all that does not pass is a difference that can be accepted by name."""
    odd = [finding for finding in findings if not finding.verdict.passes]
    return all(finding.verdict is Verdict.DIFFERENT and convention_of(finding) for finding in odd)


def conventions_of(rung: Rung, accept: Sequence[str]) -> list[Convention]:
    """The conventions that a rung's findings are, but for the tie of weights, which is told elsewhere; confirmed if
    nothing else differs on the rung."""
    named: dict[str, dict[str, None]] = {}
    confirmed = explained(rung.findings)
    for finding in rung.findings:
        name = convention_of(finding)
        if probe_of(finding) and not confirmed:
            continue  # the networks differ on the user's own inputs already
        if name and name != "tied_weights" and finding.verdict is Verdict.DIFFERENT:
            named.setdefault(name, {})[_words(finding)] = None
    return [
        Convention(name, f"{KNOWN[name].text}: {_listed(list(words))}", (rung.number,), confirmed, name in accept)
        for name, words in named.items()
    ]


def _words(finding: Finding) -> str:
    if not finding.reason:
        return f"{finding.name} by {finding.gap:.2g}"
    whole = finding.name in ("", "network") or finding.name in finding.reason
    return finding.reason if whole else f"{finding.name}: {finding.reason}"


def _listed(words: Sequence[str]) -> str:
    rest = f"; and {len(words) - MOST} more" if len(words) > MOST else ""
    return "; ".join(words[:MOST]) + rest
