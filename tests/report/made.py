"""Results made by hand."""

from parity.checks.ladder import NAMES, RUNGS
from parity.checks.verdict import Finding, Rung, Verdict, worst
from parity.report.pair import Report
from parity.report.records import Coverage

SAME, LESS, UNSURE, BAD = Verdict
WRONG = Finding(
    "output", "features.0.norm", BAD, 3.2e7, {"flax": 22.6, "torch": 22.4}, (3, 5), {"flax": 1.25, "torch": 1.5}
)
LAZY = Finding("output", "layers.0", LESS, 1.2, {"flax": 23.0, "torch": 9.0}, reason="torch keeps 9 bits of 24")
CAST = Finding("output", "layers.1", UNSURE, reason="torch computes this in float32 even in float64")


def good(number: int, share: float = 1.0) -> Rung:
    finding = Finding("output", "", SAME, share, {"flax": 23.4, "torch": 22.6})
    return Rung(number, NAMES[number], SAME, "", finding, (finding,))


def bad(number: int, finding: Finding, layer: str = "") -> Rung:
    return Rung(number, NAMES[number], finding.verdict, layer or finding.name, finding, (finding,))


def of_recipe(name: str, rungs: tuple[Rung, ...], seconds: float = 0.0, data: str = "digits") -> Report:
    """The report on a recipe."""
    verdict = worst(rung.verdict for rung in rungs)
    return Report(
        name, verdict, rungs, None, (), (), (), (), Coverage(1.0, 1.0),
        seconds={"total": seconds}, seed=0, device="cpu", data=data, ladder=RUNGS,
    )  # fmt: skip


def result(name: str, *rungs: Rung) -> Report:
    """All eight rungs; those that are not given are the same."""
    by_number = {rung.number: rung for rung in rungs}
    return of_recipe(name, tuple(by_number.get(n, good(n)) for n in RUNGS), 1.5)
