"""The tables of evidence as Markdown, each made from its part of the record, beside which they lie."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.evidence.drawn.effect import Why
from benchmarks.evidence.drawn_record import PASSES, Draws, Line
from benchmarks.evidence.graded import smallest
from benchmarks.evidence.record import Evidence, Gap
from benchmarks.speed.pages.table import NONE, markdown
from parity.checks.ladder import NAMES
from parity.report.terminal import MARKS

KINDS = ("different", "inconclusive", "same", *(str(why) for why in Why if why is not Why.MISSED))
"""Judgements on a draw: verdicts, and the reasons why a bug passes."""


def matrix(record: Mapping[str, Any]) -> str:
    """A table with a row for each bug: each rung's verdict, the layer named, and links to where people met it."""
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


def causes(record: Mapping[str, Any]) -> str:
    """A table with a row for each bug of a brought pair: what was said of its cause, and whether that is right."""
    rows = []
    for bug in record["bugs"]:
        judged = "right" if bug["right"] else "wrong" if bug["wrong"] else ""
        lines = ", ".join(f"{side} {line}" for side, line in bug["lines"].items()) or NONE
        cause = bug["cause"].replace("|", "\\|") or NONE
        rows.append([f"`{bug['id']}`", bug["mechanism"], bug["side"], cause, bug["proof"] or NONE, judged, lines])
    return markdown(("bug", "what is wrong", "in", "cause that is given", "proof", "judged", "lines"), rows)


def repairs(record: Mapping[str, Any]) -> str:
    """A table with a row for each bug in a source file: the cause, the patch that was kept, and the verdict with it."""
    rows, patches = [], []
    for bug in record["bugs"]:
        rounds = bug.get("rounds", [])
        proven = "; ".join(turn["cause"] for turn in rounds if turn["cause"]) or NONE
        kept = "; ".join(turn["kept"] for turn in rounds if turn["kept"]) or NONE
        tried = sum(turn["tried"] for turn in rounds)
        came = "repaired" if bug["repaired"] else bug.get("after", "") or bug.get("error", "")
        rows.append([f"`{bug['id']}`", bug["mechanism"], bug["side"], proven, kept, str(tried), came])
        if bug.get("diff"):
            patches.append(f"`{bug['id']}`:\n\n```diff\n{bug['diff'].rstrip()}\n```")
    head = ("bug", "what is wrong", "in", "causes", "patches that were kept", "patches tried", "what came of it")
    return "\n\n".join([markdown(head, rows), *patches])


def sizes(record: Mapping[str, Any]) -> str:
    """A table of the smallest size of each kind of bug that is caught, by the referee and at fixed tolerances."""
    tolerances = [f"{tolerance:g}" for tolerance in record["tolerances"]]
    head = ("changed by a share", "the referee", *(f"allclose at {t}" for t in tolerances))
    ways = ("referee", *tolerances)
    return markdown(head, [[family["name"], *(smallest(family, how) for how in ways)] for family in record["families"]])


def rates(draws: Draws) -> str:
    """A table of how the draws were judged, with exact 95 % intervals of the share of wrong verdicts."""
    head = ("draws", "number", *KINDS, "wrong verdicts", "95 % interval")
    return markdown(head, [_rate("correct", draws.correct), _rate("with one bug", draws.wrong)])


def _rate(name: str, draws: Sequence[Line]) -> list[str]:
    kinds = Counter(map(verdict, draws))
    counts = [f"{kinds[kind]:,}" for kind in KINDS]
    return [name, f"{len(draws):,}", *counts, f"{wrong_verdicts(draws):,}", interval(draws)]


def wrong_verdicts(draws: Sequence[Line]) -> int:
    """The number of draws that were judged wrongly.

    A verdict of *same* on a bug is wrong, unless the bug has no effect in its framework or the map makes up for it.
    """
    kinds = Counter(map(verdict, draws))
    return kinds["error"] + kinds["same" if "mutation" in draws[0] else "different"]


def interval(draws: Sequence[Line]) -> str:
    """The exact 95 % interval of the share of wrong verdicts, in words."""
    limits = binomtest(wrong_verdicts(draws), len(draws)).proportion_ci(method="exact")
    return f"{limits.low:.2%} to {limits.high:.2%}"


def verdict(line: Line) -> str:
    """The judgement on a draw, one of `KINDS` or "error"; where a bug passes, the reason."""
    if line["verdict"] not in PASSES:
        return line["verdict"]
    return "same" if line.get("why", Why.MISSED) == Why.MISSED else line["why"]


def kinds(wrong: Sequence[Line]) -> str:
    """A table with a row for each kind of bug: how often it was drawn, and how it was judged."""
    rows = []
    for name in sorted({line["mutation"] for line in wrong}):
        counts = Counter(verdict(line) for line in wrong if line["mutation"] == name)
        rows.append([name, str(counts.total()), *(str(counts[kind]) for kind in KINDS)])
    return markdown(("bug", "drawn", *KINDS), rows)


def blocks(correct: Sequence[Line]) -> str:
    """A table with a row for each kind of block: how many correct networks have it, and how these were judged; "" where
    the record does not say what blocks there are."""
    rows = []
    for name in sorted({kind for line in correct for kind in line.get("kinds", ())}):
        counts = Counter(verdict(line) for line in correct if name in line["kinds"])
        rows.append([name, str(counts.total()), *(str(counts[kind]) for kind in ("same", "inconclusive", "different"))])
    return markdown(("block", "drawn", "same", "inconclusive", "different"), rows) if rows else ""


def threshold(evidence: Evidence) -> str:
    """A table of both distributions, and the distance of the threshold from each."""
    (low, high), (largest, least) = margins_of(evidence), ends(evidence)
    rows = [
        _distribution("correct pairs", evidence.same, (0.5, 0.99, 1.0), largest),
        _distribution("pairs with a bug", evidence.caught, (0.5, 0.01, 0.0), least),
    ]
    if zeros := evidence.rounding:
        most = max(zeros, key=lambda gap: gap.share)
        rows.insert(1, _distribution("correct pairs, what is zero in theory", zeros, (0.5, 0.99, 1.0), most))
    table = markdown(("gap / expected rounding", "number", "median", "outer 1 %", "outermost", "where"), rows)
    return f"{table}\n\nThe threshold, {evidence.threshold:g}, is {low} above the one and {high} below the other."


def _distribution(name: str, gaps: Sequence[Gap], quantiles: Sequence[float], end: Gap) -> list[str]:
    figures = (power(q) for q in np.quantile([gap.share for gap in gaps], quantiles))
    return [name, f"{len(gaps):,}", *figures, end.where]


def ends(evidence: Evidence) -> tuple[Gap, Gap]:
    """The largest gap of a correct pair and the smallest of a pair with a bug."""
    return max(evidence.same, key=lambda gap: gap.share), min(evidence.caught, key=lambda gap: gap.share)


def margins_of(evidence: Evidence) -> tuple[str, str]:
    """The threshold over the largest gap that passed, and the smallest gap of a bug over the threshold, as text."""
    largest, least = ends(evidence)
    return f"{evidence.threshold / largest.share:.0f} times", f"{least.share / evidence.threshold:,.0f} times"


def power(share: float) -> str:
    """A gap over expected rounding as text of about two digits."""
    return f"{share:.2g}" if share < 100 else f"{share:,.0f}" if share < 1e4 else f"{share:.1e}"
