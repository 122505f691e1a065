"""docs/evidence.md and the README's blocks, from the newest record: `python -m benchmarks.evidence.page [--check]`."""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest

from benchmarks.evidence import mutants_page, plots, slow
from benchmarks.evidence.drawn.effect import Why
from benchmarks.evidence.graded import smallest
from benchmarks.evidence.mutants import explanations
from benchmarks.evidence.record import PASSES, ROOT, Evidence, Gap, Line, newest, read
from benchmarks.pages import blocks, drawing
from benchmarks.speed.pages.table import NONE, markdown
from parity.checks.ladder import NAMES
from parity.errors import UsageError
from parity.files import write_atomically
from parity.report.terminal import MARKS

PAGES = (ROOT / "docs" / "evidence.md", ROOT / "README.md")
COMMAND = "python -m benchmarks.evidence.page"
KINDS = ("different", "inconclusive", "same", *(str(why) for why in Why if why is not Why.MISSED))
"""What is said of a draw."""


def main(argv: list[str]) -> int:
    """Write the pages and the drawings, or check the pages."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; 1 where a page does not say what is on record"
    )
    try:
        return _done(checked=parser.parse_args(argv).check)
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _done(*, checked: bool) -> int:
    found = read(newest())
    if not checked:
        for name, figure in drawings(found).items():
            write_atomically(found.folder / name, drawing.file(figure, found.folder.name))
    return blocks.update(PAGES, made(found), check=checked, source=str(found.folder), command=COMMAND)


def made(found: Evidence) -> dict[str, str]:
    """Block → its text."""
    return {
        "caught": f"{found.bugs['summary']}.",
        "matrix": matrix(found.bugs),
        "graded": sizes(found.graded),
        "rates": rates(found.correct, found.wrong),
        "kinds": kinds(found.wrong),
        "threshold": threshold(found),
        "mutants": mutants_page.block(found.mutants, explanations()),
        "margins": margins(found),
        "slow": slow.block(found.slow),
    }


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
    """A bug that is *same* is a wrong verdict unless it has no effect in its framework or the map makes up for it."""
    kinds = Counter(map(verdict, found))
    failed = kinds["error"] + kinds["same" if "mutation" in found[0] else "different"]
    interval = binomtest(failed, len(found)).proportion_ci(method="exact")
    told = [f"{kinds[kind]:,}" for kind in KINDS]
    return [name, f"{len(found):,}", *told, f"{failed:,}", f"{interval.low:.2%} to {interval.high:.2%}"]


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
    (low, high), (largest, least) = margins_of(found), _ends(found)
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
    told = (_power(q) for q in np.quantile([gap.share for gap in gaps], quantiles))
    return [name, f"{len(gaps):,}", *told, end.where]


def margins(found: Evidence) -> str:
    """The ends of both distributions, for the README."""
    largest, least = _ends(found)
    rows = [
        [f"{len(found.same):,} correct pairs, the largest", _power(largest.share)],
        ["**the threshold**", f"**{found.threshold:g}**"],
        [f"{len(found.told):,} pairs with a bug, the smallest ({least.where})", _power(least.share)],
    ]
    return markdown(("measured", "gap / expected rounding"), rows)


def _ends(found: Evidence) -> tuple[Gap, Gap]:
    """The largest gap that passed and the smallest that must not."""
    return max(found.same, key=lambda gap: gap.share), min(found.told, key=lambda gap: gap.share)


def margins_of(found: Evidence) -> tuple[str, str]:
    """How many times the threshold is above the largest gap that passed, and below the smallest that must not."""
    largest, least = _ends(found)
    return f"{found.threshold / largest.share:.0f} times", f"{least.share / found.threshold:,.0f} times"


def _power(share: float) -> str:
    return f"{share:.2g}" if share < 100 else f"{share:,.0f}" if share < 1e4 else f"{share:.1e}"


def drawings(found: Evidence) -> dict[str, Figure]:
    """File → figure."""
    same, told = ([gap.share for gap in gaps] for gaps in (found.same, found.told))
    return {"graded.svg": plots.curve(found.graded), "margins.svg": plots.margins(same, told, found.threshold)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
