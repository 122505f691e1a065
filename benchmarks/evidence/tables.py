"""The tables of evidence, each from its part of the record; they lie beside it as Markdown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.evidence.drawn.effect import Why
from benchmarks.evidence.graded import smallest
from benchmarks.evidence.record import PASSES, Evidence, Gap, Line
from benchmarks.speed.pages.table import NONE, markdown
from parity.checks.ladder import NAMES
from parity.report.terminal import MARKS

KINDS = ("different", "inconclusive", "same", *(str(why) for why in Why if why is not Why.MISSED))
"""What is said of a draw."""


def matrix(record: Mapping[str, Any]) -> str:
    """A row a bug: what each rung says, what is named, and where it was met."""
    marks = {str(verdict): mark for verdict, mark in MARKS.items()}
    head = ("bug", "what is wrong", "in", *map(str, NAMES), "named", "cause in words", "hidden by", "met in")
    rows = []
    for bug in record["bugs"]:
        rungs = [marks[bug["rungs"][str(n)]] if str(n) in bug["rungs"] else "" for n in NAMES]
        named = f"`{bug['named']}`" if bug["named"] else NONE
        links = ", ".join(f"[{i}]({link})" for i, link in enumerate(bug["evidence"], 1))
        words = "yes" if bug["cause"] else ""
        rows.append([f"`{bug['id']}`", bug["mechanism"], bug["side"], *rungs, named, words, bug["hides"], links])
    return markdown(head, rows)


def sizes(record: Mapping[str, Any]) -> str:
    """The smallest size of each kind of bug that is caught, by the referee and at fixed tolerances."""
    tolerances = [f"{tolerance:g}" for tolerance in record["tolerances"]]
    head = ("changed by a share", "the referee", *(f"allclose at {t}" for t in tolerances))
    ways = ("referee", *tolerances)
    return markdown(head, [[one["name"], *(smallest(one, how) for how in ways)] for one in record["families"]])


def rates(correct: Sequence[Line], wrong: Sequence[Line]) -> str:
    """How many draws were judged as they should, with exact 95 % intervals."""
    head = ("draws", "number", *KINDS, "wrong verdicts", "95 % interval")
    return markdown(head, [_rate("correct", correct), _rate("with one bug", wrong)])


def _rate(name: str, found: Sequence[Line]) -> list[str]:
    kinds = Counter(map(verdict, found))
    told = [f"{kinds[kind]:,}" for kind in KINDS]
    return [name, f"{len(found):,}", *told, f"{wrong_verdicts(found):,}", interval(found)]


def wrong_verdicts(found: Sequence[Line]) -> int:
    """How many draws were judged wrongly. A bug that is *same* is a wrong verdict unless it has no effect in its
    framework or the map makes up for it."""
    kinds = Counter(map(verdict, found))
    return kinds["error"] + kinds["same" if "mutation" in found[0] else "different"]


def interval(found: Sequence[Line]) -> str:
    """The exact 95 % interval of the share of wrong verdicts, in words."""
    limits = binomtest(wrong_verdicts(found), len(found)).proportion_ci(method="exact")
    return f"{limits.low:.2%} to {limits.high:.2%}"


def verdict(line: Line) -> str:
    """Of a draw, one of `KINDS`; where a bug passes, why."""
    if line["verdict"] not in PASSES:
        return line["verdict"]
    return "same" if line.get("why", Why.MISSED) == Why.MISSED else line["why"]


def kinds(wrong: Sequence[Line]) -> str:
    """A row a kind of bug: how often it was drawn, and what was said."""
    rows = []
    for name in sorted({line["mutation"] for line in wrong}):
        found = Counter(verdict(line) for line in wrong if line["mutation"] == name)
        rows.append([name, str(found.total()), *(str(found[kind]) for kind in KINDS)])
    return markdown(("bug", "drawn", *KINDS), rows)


def threshold(found: Evidence) -> str:
    """Both distributions in numbers, and how far the threshold is from each."""
    (low, high), (largest, least) = margins_of(found), ends(found)
    rows = [
        _distribution("correct pairs", found.same, (0.5, 0.99, 1.0), largest),
        _distribution("pairs with a bug", found.told, (0.5, 0.01, 0.0), least),
    ]
    if zeros := found.rounding:
        most = max(zeros, key=lambda gap: gap.share)
        rows.insert(1, _distribution("correct pairs, what is zero in theory", zeros, (0.5, 0.99, 1.0), most))
    table = markdown(("gap / expected rounding", "number", "median", "outer 1 %", "outermost", "where"), rows)
    return f"{table}\n\nThe threshold, {found.threshold:g}, is {low} above the one and {high} below the other."


def _distribution(name: str, gaps: Sequence[Gap], quantiles: Sequence[float], end: Gap) -> list[str]:
    told = (power(q) for q in np.quantile([gap.share for gap in gaps], quantiles))
    return [name, f"{len(gaps):,}", *told, end.where]


def ends(found: Evidence) -> tuple[Gap, Gap]:
    """The largest gap that passed and the smallest that must not."""
    return max(found.same, key=lambda gap: gap.share), min(found.told, key=lambda gap: gap.share)


def margins_of(found: Evidence) -> tuple[str, str]:
    """How many times the threshold is above the largest gap that passed, and below the smallest that must not."""
    largest, least = ends(found)
    return f"{found.threshold / largest.share:.0f} times", f"{least.share / found.threshold:,.0f} times"


def power(share: float) -> str:
    """A gap over the rounding that is expected, in two digits or so."""
    return f"{share:.2g}" if share < 100 else f"{share:,.0f}" if share < 1e4 else f"{share:.1e}"
