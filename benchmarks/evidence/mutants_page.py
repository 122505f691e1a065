"""What docs/evidence.md says of the mutants of the checks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from benchmarks.evidence.mutants import Explained, score, total
from benchmarks.speed.pages.table import markdown


def block(record: Mapping[str, Any], explained: Explained) -> str:
    """The modules, then the survivors by explanation."""
    return f"{modules(record)}\n\nWhat survived, and why it may:\n\n{survivors(record, explained)}"


def modules(record: Mapping[str, Any]) -> str:
    """A row a module, and one for all."""
    found = {f"`{name}`": counts for name, counts in record["modules"].items()} | {"**all**": total(record)}
    head = ("module", "mutants", "killed", "never ended", "survived", "score")
    return markdown(head, [[name, *_counted(counts), f"{score(counts):.1%}"] for name, counts in found.items()])


def _counted(counts: Mapping[str, int]) -> Iterator[str]:
    killed, timeout = counts.get("killed", 0), counts.get("timeout", 0)
    return (f"{count:,}" for count in (counts["mutants"], killed, timeout, counts["mutants"] - killed - timeout))


def survivors(record: Mapping[str, Any], explained: Explained) -> str:
    """A row an explanation, in the order of their first mutants."""
    by_why: dict[str, Counter[str]] = {}
    for one in record["survivors"]:
        why = explained.get((one["function"], one["change"]), "not explained")
        where = ".".join(one["function"].split(".")[-2:])
        by_why.setdefault(why, Counter())[f"`{short(one['change'])}` in `{where}`"] += 1
    return markdown(("why", "mutants"), [[why, "; ".join(_times(found))] for why, found in by_why.items()])


def _times(found: Counter[str]) -> Iterator[str]:
    return (what if count == 1 else f"{what}, {count} times" for what, count in found.items())


def short(change: str) -> str:
    """A change without the words around it that stay."""
    was, now = (side.split() for side in change.split(" → "))
    first = _alike(was, now)
    last = min(_alike(was[::-1], now[::-1]), len(was) - first, len(now) - first)
    return " → ".join(" ".join(side[first : len(side) - last]) or "nothing" for side in (was, now))


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
