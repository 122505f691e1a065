"""docs/evidence.md and the README's block, from the newest record: `python -m benchmarks.evidence.page [--check]`."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from scipy.stats import binomtest

from benchmarks import blocks, drawing
from benchmarks.evidence.graded import smallest
from benchmarks.plots import stacked
from benchmarks.table import NONE, markdown
from parity.checks.verdict import Verdict
from parity.files import write_atomically
from parity.report.terminal import MARKS

ROOT = Path(__file__).parent.parent.parent
PAGES = (ROOT / "docs" / "evidence.md", ROOT / "README.md")
COMMAND = "python -m benchmarks.evidence.page"
Record = Mapping[str, Any]
PASSES = {Verdict.SAME.value, Verdict.LESS_ACCURATE.value}


def main(argv: list[str]) -> int:
    """Write the pages and the drawings, or check the pages."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; 1 where a page does not say what is on record"
    )
    checked = parser.parse_args(argv).check
    folder = newest()
    if not checked:
        for name, figure in drawings(folder).items():
            write_atomically(folder / name, drawing.file(figure, folder.name))
    return blocks.update(PAGES, made(folder), check=checked, source=str(folder), command=COMMAND)


def newest(root: Path = ROOT) -> Path:
    """The newest folder of evidence."""
    return max((root / "benchmarks" / "records").glob("*-evidence"))


def made(folder: Path) -> dict[str, str]:
    """Block → its text."""
    bugs, graded = (json.loads((folder / name).read_text()) for name in ("bugs.json", "graded.json"))
    correct, wrong = (lines(folder / name) for name in ("correct.jsonl", "bug.jsonl"))
    curve = sizes(graded)
    return {
        "matrix": f"{bugs['summary']}.\n\n{matrix(bugs)}",
        "graded": curve,
        "rates": f"{rates(correct, wrong)}\n\n{kinds(wrong)}",
        "evidence": f"{rates(correct, wrong)}\n\n{curve}",
    }


def lines(path: Path) -> list[dict[str, Any]]:
    """Of a file of draws, by number."""
    found = [json.loads(text) for text in path.read_text().splitlines()]
    return sorted(found, key=lambda line: line["number"])


def matrix(record: Record) -> str:
    """A row a bug: what each rung says, what is named, and where it was met."""
    marks = {str(verdict): mark for verdict, mark in MARKS.items()}
    head = ("bug", "what is wrong", "in", *map(str, range(1, 9)), "named", "cause in words", "hidden by", "met in")
    rows = []
    for bug in record["bugs"]:
        rungs = [marks[bug["rungs"][str(n)]] if str(n) in bug["rungs"] else "" for n in range(1, 9)]
        named = f"`{bug['named']}`" if bug["named"] else NONE
        links = ", ".join(f"[{i}]({link})" for i, link in enumerate(bug["evidence"], 1))
        words = "yes" if bug["cause"] else ""
        rows.append([f"`{bug['id']}`", bug["mechanism"], bug["side"], *rungs, named, words, bug["hides"], links])
    return markdown(head, rows)


def sizes(record: Record) -> str:
    """The smallest size of each kind of bug that is caught, by the referee and at fixed tolerances."""
    tolerances = [f"{tolerance:g}" for tolerance in record["tolerances"]]
    head = ("changed by a share of", "the referee catches", *(f"allclose at {t}" for t in tolerances))
    ways = ("referee", *tolerances)
    return markdown(head, [[one["name"], *(smallest(one, how) for how in ways)] for one in record["families"]])


def rates(correct: Sequence[Record], wrong: Sequence[Record]) -> str:
    """How many draws were judged as they should, with exact 95 % intervals."""
    head = ("draws", "number", "same", "inconclusive", "different", "error", "wrong verdicts", "95 % interval")
    return markdown(
        head, [_rate("correct", correct, {"different", "error"}), _rate("with one bug", wrong, {*PASSES, "error"})]
    )


def _rate(name: str, found: Sequence[Record], faults: set[str]) -> list[str]:
    counts = Counter("same" if line["verdict"] in PASSES else line["verdict"] for line in found)
    failed = sum(line["verdict"] in faults for line in found)
    interval = binomtest(failed, len(found)).proportion_ci(method="exact")
    told = [f"{counts[verdict]:,}" for verdict in ("same", "inconclusive", "different", "error")]
    return [name, f"{len(found):,}", *told, f"{failed:,}", f"{interval.low:.2%}–{interval.high:.2%}"]


def kinds(wrong: Sequence[Record]) -> str:
    """A row a kind of bug: how often it was drawn, and what was said."""
    head = ("bug", "drawn", "different", "inconclusive", "same")
    rows = []
    for name in sorted({line["mutation"] for line in wrong}):
        found = [line["verdict"] for line in wrong if line["mutation"] == name]
        same = sum(verdict in PASSES for verdict in found)
        rows.append([name, *map(str, (len(found), found.count("different"), found.count("inconclusive"), same))])
    return markdown(head, rows)


def drawings(folder: Path) -> dict[str, Figure]:
    """File → figure."""
    graded = json.loads((folder / "graded.json").read_text())
    correct, wrong = (lines(folder / name) for name in ("correct.jsonl", "bug.jsonl"))
    return {"graded.svg": curve(graded), "margins.svg": margins(correct, wrong, graded["threshold"])}


def curve(record: Record) -> Figure:
    """Gap over expected rounding, against the size of the bug; the threshold."""
    figure, (axes,) = stacked([4.0])
    for one in record["families"]:
        found = sorted((row["size"], row["share"]) for row in one["sizes"] if row["share"])
        axes.plot(*zip(*found, strict=True), marker="o", markersize=3, label=one["name"])
    axes.axhline(record["threshold"], color="black", linestyle="--", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="size of the bug, as a share", ylabel="gap / expected rounding")
    axes.legend(fontsize=8)
    return figure


def margins(correct: Sequence[Record], wrong: Sequence[Record], threshold: float) -> Figure:
    """The two distributions that the threshold lies between."""
    import numpy as np

    figure, (axes,) = stacked([3.6])
    same = [line["share"] for line in correct if line.get("share")]
    told = [line["told"] for line in wrong if line.get("told")]
    edges = list(np.geomspace(min([*same, *told, 0.1]), max([*same, *told, threshold]), 60))
    axes.hist(same, edges, label=f"{len(same):,} correct networks: the largest gap of each", color="#117733", alpha=0.7)
    axes.hist(
        told, edges, label=f"{len(told):,} networks with a bug: the gap it is told by", color="#CC79A7", alpha=0.7
    )
    axes.axvline(threshold, color="black", linestyle="--", linewidth=1)
    axes.set(xscale="log", xlabel="gap / expected rounding", ylabel="networks")
    axes.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
