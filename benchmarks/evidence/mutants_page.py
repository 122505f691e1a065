"""The tables on the mutants of the checks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from benchmarks.evidence.mutants import Explained, score, total
from benchmarks.speed.pages.table import markdown


def block(record: Mapping[str, Any], explained: Explained) -> str:
    """The table of the modules, then the table of the survivors by explanation."""
    return f"{modules(record)}\n\nWhat survived, and why it may:\n\n{survivors(record, explained)}"


def modules(record: Mapping[str, Any]) -> str:
    """A table with a row for each module, and one for all."""
    counts_by_name = {f"`{name}`": counts for name, counts in record["modules"].items()} | {"**all**": total(record)}
    head = ("module", "mutants", "killed", "never ended", "survived", "score")
    return markdown(
        head, [[name, *_counted(counts), f"{score(counts):.1%}"] for name, counts in counts_by_name.items()]
    )


def _counted(counts: Mapping[str, int]) -> Iterator[str]:
    killed, timeout = counts.get("killed", 0), counts.get("timeout", 0)
    return (f"{count:,}" for count in (counts["mutants"], killed, timeout, counts["mutants"] - killed - timeout))


def survivors(record: Mapping[str, Any], explained: Explained) -> str:
    """A table with a row for each explanation, in the order of their first mutants."""
    by_why: dict[str, Counter[str]] = {}
    for survivor in record["survivors"]:
        why = explained.get((survivor["function"], survivor["change"]), "not explained")
        where = ".".join(survivor["function"].split(".")[-2:])
        by_why.setdefault(why, Counter())[f"`{short(survivor['change'])}` in `{where}`"] += 1
    return markdown(("why", "mutants"), [[why, "; ".join(_times(changes))] for why, changes in by_why.items()])


def _times(changes: Counter[str]) -> Iterator[str]:
    return (what if count == 1 else f"{what}, {count} times" for what, count in changes.items())


def short(change: str) -> str:
    """A change without the words at its ends that stay the same."""
    was, now = (side.split() for side in change.split(" → "))
    first = _alike(was, now)
    last = min(_alike(was[::-1], now[::-1]), len(was) - first, len(now) - first)
    return " → ".join(" ".join(side[first : len(side) - last]) or "nothing" for side in (was, now))


def _alike(first: Sequence[str], second: Sequence[str]) -> int:
    """The number of words that both begin with."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))))
