"""The evidence in short: one table for its page, and a few sentences for the README."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.evidence.causes.counts import operations
from benchmarks.evidence.drawn.truths import is_right
from benchmarks.evidence.drawn_record import Draws
from benchmarks.evidence.graded import smallest
from benchmarks.evidence.mutants import score, total
from benchmarks.evidence.record import UNTRIED, Evidence
from benchmarks.evidence.tables import ends, interval, margins_of, power, verdict, wrong_verdicts
from benchmarks.speed.pages.table import markdown
from parity.checks.ladder import NAMES
from parity.checks.verdict import Verdict


def short(record: Evidence) -> str:
    """The sentences for the README: the bugs caught, the share of wrong verdicts, and the threshold's place."""
    largest, least = ends(record)
    return (
        f"- Bugs that people met between the two frameworks, planted one at a time: {record.bugs['summary']}.\n"
        + f"- Their causes, in a run of its own over bugs in brought pairs: of {len(record.causes['bugs'])}, "
        f"{causes(record.causes)}.\n"
        + f"- The same bugs in source files, given to `parity repair`: of {len(record.repairs['bugs'])}, "
        f"{repairs(record.repairs)}.\n"
        + "".join(_random(draws) for draws in record.draws)
        + f"- The threshold is {record.threshold:g}: the largest gap of {len(record.same):,} correct pairs is "
        f"{power(largest.share)}, the smallest of {len(record.caught):,} pairs with a bug is {power(least.share)}."
    )


def _random(draws: Draws) -> str:
    return (
        f"- {_title(draws)}: {wrong_verdicts(draws.correct)} of {len(draws.correct):,} correct ones raised "
        f"an alarm (95 % interval {interval(draws.correct)}), and {wrong_verdicts(draws.wrong)} of "
        f"{len(draws.wrong):,} with one bug passed although the bug had an effect ({interval(draws.wrong)}).\n"
    )


def _title(draws: Draws) -> str:
    """What was drawn: since their lines say of what blocks they are, people's own layers are among them."""
    suffix = ", with layers as people write them themselves" if "kinds" in draws.correct[0] else ""
    return f"Networks drawn at random on {draws.date}{suffix}"


def place(folder: Path) -> str:
    """The folder of a record, as a link from a page of docs/."""
    return f"../benchmarks/records/{folder.name}"


def table(record: Evidence) -> str:
    """A table with a row for each kind of trial: their number, their outcome, and a link to all of them."""
    (largest, least), (above, below) = ends(record), margins_of(record)
    counts = total(record.mutants)
    survivors = counts["mutants"] - counts.get("killed", 0) - counts.get("timeout", 0)
    slow = Counter[str]()
    for module in record.slow["modules"].values():
        slow.update(module)
    largest_gap = _gap("largest", largest.share, f"the threshold is {above} above")
    smallest_gap = _gap("smallest", least.share, f"the threshold is {below} below")
    noticed = f"{score(counts):.1%} noticed by the tests; the other {survivors} are explained"
    tests = f"{slow['passed']} passed, {slow['failed']} failed"
    families = record.graded["families"]
    rows: list[tuple[str, int, str, str | Draws]] = [
        ("known bugs and controls", len(record.bugs["bugs"]), record.bugs["summary"], "bugs"),
        ("causes of bugs in brought pairs", len(record.causes["bugs"]), causes(record.causes), "causes"),
        ("repairs of these bugs in source files", len(record.repairs["bugs"]), repairs(record.repairs), "repairs"),
        ("repairs of drawn bugs", len(record.drawn_repairs["bugs"]), repairs(record.drawn_repairs), "drawn_repairs"),
        *(row for draws in record.draws for row in _rows(draws)),
        ("correct pairs", len(record.same), largest_gap, "margins"),
        ("pairs with a bug", len(record.caught), smallest_gap, "margins"),
        ("kinds of bugs of falling size", len(families), _sizes(record.graded), "graded"),
        ("mutants of the checks", counts["mutants"], noticed, "mutants"),
        ("tests that take minutes", slow.total(), tests, "slow"),
    ]
    head = ("what was tried", "how many", "what came of it", "all of it")
    linked = [[what, f"{n:,}", came, _link(record, part)] for what, n, came, part in rows]
    return markdown(head, linked)


def _rows(draws: Draws) -> Iterator[tuple[str, int, str, Draws]]:
    for name, lines in (("correct", draws.correct), ("with one bug", draws.wrong)):
        yield f"{_title(draws).lower()}, {name}", len(lines), _drawn(lines), draws


def _link(record: Evidence, part: str | Draws) -> str:
    """The link to the tables of a part of the record, or of draws."""
    if isinstance(part, Draws):
        return f"[draws]({place(part.folder)}/draws.md)"
    return f"[{part}]({place(record.folders[part])}/{part}.md)"


def causes(record: Mapping[str, Any]) -> str:
    """Say how many causes were named and proven, how many of these are right, and how often an operation was told."""
    bugs = record["bugs"]
    proven, right, wrong = (
        sum(map(bool, answers))
        for answers in ([b["proof"] for b in bugs], [b["right"] for b in bugs], [b["wrong"] for b in bugs])
    )
    located = sum(bool(bug["lines"]) for bug in bugs)
    return (
        f"{proven} named and proven by undoing them ({proven / len(bugs):.0%}), {right} of them right and {wrong} "
        f"wrong; an operation with its line told for {located}{_operations(bugs)}"
    )


def _operations(bugs: Any) -> str:
    counts = operations(bugs)
    if not counts["operations"]:
        return ""
    share = counts["at the operation"] / counts["operations"]
    return (
        f"; of {counts['operations']} in functions without submodules, {counts['at the operation']} placed at the "
        f"right line of a side ({share:.0%}), {counts['at the bug']} at the line of the bug's side, "
        f"{counts['at both lines']} of {counts['with both lines']} at both sides' lines"
    )


def repairs(record: Mapping[str, Any]) -> str:
    """Say how many bugs have a proven cause, how many got a patch, and how many are repaired and proven again; those
    that passed, as they have no effect or the weight map makes up for them, are counted apart."""
    every = record["bugs"]
    bugs = [bug for bug in every if bug.get("before", Verdict.DIFFERENT) == Verdict.DIFFERENT]
    proven, patched, repaired = (sum(bool(bug.get(key)) for bug in bugs) for key in ("proven", "diff", "repaired"))
    untried = sum(bug.get("error") == UNTRIED for bug in bugs)
    rest = f"; {untried} not tried yet, which counts as not repaired" if untried else ""
    among = f"of {len(bugs)} that are called different, " if len(bugs) < len(every) else ""
    return (
        f"{among}{repaired} repaired by a patch and proven again ({repaired / len(bugs):.0%}); {proven} had a proven "
        f"cause, {patched} got a patch that helped{rest}"
    )


def _drawn(draws: Any) -> str:
    kinds = Counter(map(verdict, draws))
    words = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    return f"{words}: {wrong_verdicts(draws)} wrong verdicts (95 % interval {interval(draws)}){_causes_of(draws)}"


def _causes_of(draws: Any) -> str:
    """How often the cause of a drawn bug was named, of those that were called different; "" where the lines do not
    say."""
    asked = [line for line in draws if line["verdict"] == Verdict.DIFFERENT and "causes" in line]
    if not asked:
        return ""
    named = [line for line in asked if line["causes"]]
    wrong = sum(not all(is_right(line["mutation"], cause) for cause in line["causes"]) for line in named)
    share = f"{len(named):,} causes named and proven ({len(named) / len(asked):.0%})"
    return f"; of {len(asked):,} called different, {share}, {wrong} of them wrong"


def _sizes(graded: Mapping[str, Any]) -> str:
    words = ", ".join(f"{smallest(family, 'referee')} ({family['name']})" for family in graded["families"])
    return f"the smallest share of a number that is caught: {words}"


def _gap(which: str, share: float, rest: str) -> str:
    return f"the {which} gap is {power(share)} times the expected rounding; {rest}"


def rungs(bugs: Mapping[str, Any]) -> str:
    """Say how many bugs each rung is the first to catch."""
    first: dict[int, list[str]] = {}
    for bug in bugs["bugs"]:
        caught = [int(number) for number, ruled in bug["rungs"].items() if ruled != Verdict.SAME]
        if caught:
            first.setdefault(min(caught), []).append(bug["mechanism"])
    ordered = sorted(first.items())
    words = "; ".join(f"{len(mechanisms)} on rung {number} ({NAMES[number]})" for number, mechanisms in ordered)
    return f"First caught: {words}."
