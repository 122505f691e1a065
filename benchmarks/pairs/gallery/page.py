"""The blocks of docs/gallery.md: what came out, the table of all pairs, and the ledger."""

from collections.abc import Mapping
from typing import Any

from benchmarks.pairs.gallery.catalogue import PAIRS
from benchmarks.pairs.gallery.ledger import LEDGER, Entry
from benchmarks.pairs.gallery.record import PairResult, right

Pairs = Mapping[str, PairResult]


def blocks(record: Mapping[str, Any]) -> dict[str, str]:
    """Name of a block → its text.

    Args:
        record: A `GalleryRecord`.
    """
    pairs, printed = record["pairs"], record["ledger"]
    entries = [_entry(name, LEDGER[name], printed[name], pairs) for name in LEDGER]
    return {"gallery": summary(pairs), "gallery-pairs": table(pairs), "gallery-ledger": "\n\n".join(entries)}


def summary(pairs: Pairs) -> str:
    """How many pairs there are of each truth, and how many the tool judged rightly."""
    same = [result for result in pairs.values() if result["truth"] == "same"]
    other = [result for result in pairs.values() if result["truth"] == "different"]
    packages = sorted({result["package"] for result in pairs.values()})
    wrong = [name for name, result in pairs.items() if not right(result)]
    missing = [name for name in PAIRS if name not in pairs]
    lines = [
        f"- {len(pairs)} pairs of {', '.join(packages)}",
        f"- {sum(map(right, same))} of the {len(same)} pairs that are the same are judged *same*",
        f"- {sum(map(right, other))} of the {len(other)} pairs that differ are judged *different*",
        f"- judged otherwise: {', '.join(wrong) if wrong else 'none'}",
        *([f"- in the catalogue and not measured yet: {', '.join(missing)}"] if missing else []),
    ]
    return "\n".join(lines)


def table(pairs: Pairs) -> str:
    """One row for each pair."""
    head = [
        "| pair | Flax network of | truth | float64 | float32 | verdict | arrays proven | place | CPU s | GiB |",
        f"|{'---|' * 10}",
    ]
    return "\n".join([*head, *(_row(name, result) for name, result in pairs.items())])


def _row(name: str, result: PairResult) -> str:
    answer = result["told"]
    evidence = result["established"].get("evaluation", {})
    gaps = [_largest(evidence, precision) for precision in ("float64", "float32")]
    arrays = f"{answer['proven']} of {answer['arrays']}" if "proven" in answer else "–"
    cells = [
        name, result["package"], _truth(result), *gaps, answer["verdict"], arrays, _place(result),
        f"{answer.get('cpu_seconds', 0.0):.0f}", f"{answer.get('peak_gib', 0.0):.1f}",
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _truth(result: PairResult) -> str:
    links = ", ".join(f"[{name}](#{name})" for name in result["because"])
    return f"{result['truth']}: {links}" if links else result["truth"]


def _largest(evidence: Mapping[str, Any], precision: str) -> str:
    gaps = [gaps[precision] for gaps in evidence.values() if precision in gaps]
    return f"{max(gaps):.0e}" if gaps else "–"


def _place(result: PairResult) -> str:
    """Where the tool sees the first difference, with the cause if it names one; "–" where it sees none."""
    first = result["told"].get("first")
    if not first or result["told"]["verdict"] == "same":
        return "–"
    cause = f": {first['cause']}" if first["cause"] else ""
    return f"{first['rung']}, `{first['torch']}`{cause}".replace("|", "\\|")


def _entry(name: str, entry: Entry, printed: str, pairs: Pairs) -> str:
    shown = ", ".join(pair for pair, result in pairs.items() if name in result["because"])
    return "\n\n".join(
        [
            f'<a id="{name}"></a>\n\n### {entry.package}: {entry.title}',
            f"**Where**: {entry.place}.",
            entry.text + (f" In the gallery: {shown}." if shown else ""),
            f"```python\n{entry.code.strip()}\n```",
            f"It prints:\n\n```text\n{printed}\n```",
        ]
    )
