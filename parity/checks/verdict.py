"""What the checks say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Verdict(StrEnum):
    """The four verdicts of the referee, from the best to the worst."""

    SAME = "same"
    LESS_ACCURATE = "same, less accurate"
    INCONCLUSIVE = "inconclusive"
    DIFFERENT = "different"

    @property
    def passes(self) -> bool:
        """Whether the two are the same function."""
        return self in (Verdict.SAME, Verdict.LESS_ACCURATE)


SHAPES = "shapes "
"""What the reason of a finding on arrays of other shapes begins with."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst verdict; of none at all, inconclusive: nothing was compared."""
    ranks = list(Verdict)
    return max(verdicts, key=ranks.index, default=Verdict.INCONCLUSIVE)


@dataclass(frozen=True)
class Finding:
    """The verdict on one quantity.

    Args:
        quantity: what was compared, for instance "output" or "gradient".
        name: name of the call or the weight that it belongs to.
        verdict: the referee's.
        share: gap between the twins in float64, in units of the rounding expected there; 1 is ordinary.
        bits: correct bits that each framework keeps in float32 (24 is all), where that can be said.
        index: index of the worst element.
        values: each framework's float64 value there.
        culprit: framework that disagrees with the two others, where there are three.
        reason: why the verdict is so, in words, where the numbers do not say it.
        mode: "evaluation" or "training", where it matters.
        isolated: whether the call was fed the same input on both sides.
        gap: largest distance between two in float64, Euclidean, relative to the size of the array.
        errors: each framework's distance between float32 and float64, likewise.
    """

    quantity: str
    name: str
    verdict: Verdict
    share: float = 0.0
    bits: Mapping[str, float] = field(default_factory=dict)
    index: tuple[int, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    culprit: str | None = None
    reason: str = ""
    mode: str = ""
    isolated: bool = False
    gap: float = 0.0
    errors: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_shape(self) -> bool:
        """Whether the arrays have other shapes, so that their numbers were not compared."""
        return self.verdict is Verdict.DIFFERENT and self.reason.startswith(SHAPES)


@dataclass(frozen=True)
class Rung:
    """The verdict of one rung of the ladder.

    Args:
        number, name: its place on the ladder.
        verdict: the worst of its findings.
        layer: the layer where it first goes wrong, "" if it does not.
        headline: the finding to show: the first that is wrong, else the one nearest to the threshold.
        findings: all of them.
        reason: why the rung could not run.
        cause: the cause of the difference, in words, where it is recognised.
    """

    number: int
    name: str
    verdict: Verdict
    layer: str = ""
    headline: Finding | None = None
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    cause: str = ""


def rung(number: int, name: str, findings: Iterable[Finding], blamed: Finding | None = None, layer: str = "") -> Rung:
    """Sum up a rung's findings; `blamed` is the finding that says where it first goes wrong."""
    every = tuple(findings)
    verdict = worst(finding.verdict for finding in every)
    if verdict is Verdict.SAME:
        return Rung(number, name, verdict, "", max(every, key=lambda f: f.share), every)
    first = blamed or next((f for f in every if f.verdict is verdict), None)
    return Rung(number, name, verdict, layer or (first.name if first else ""), first, every)


INSIDE = frozenset({"output", "gradient of output"})
"""Quantities of layers inside a network: they say where a difference begins and convict nobody."""


def observed(number: int, name: str, findings: Iterable[Finding]) -> Rung:
    """Sum up a rung by what can be observed of a network; what is inside is named first where that differs, and left
    out where it differs alone.

    Args:
        number, name: the rung's place on the ladder.
        findings: all findings, in the order in which what goes wrong is named.
    """
    every = tuple(findings)
    verdict = worst(finding.verdict for finding in every if finding.quantity not in INSIDE)
    shown = [f for f in every if f.quantity not in INSIDE or f.verdict.passes or not verdict.passes]
    summary = rung(number, name, shown)
    if summary.verdict is verdict or (verdict.passes and summary.verdict.passes):
        return summary
    first = next((finding for finding in shown if finding.verdict is verdict), None)
    return replace(summary, verdict=verdict, headline=first, layer=first.name if first else "")
