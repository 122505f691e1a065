"""The words and the table of docs/pairs.md on what a check costs, from a record of `benchmarks.pairs.cost`."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

COMMAND = "python -m benchmarks.pairs.cost"
GIB = 2**30
WRAPPED: dict[str, Any] = {"width": 120, "break_on_hyphens": False, "break_long_words": False}
Column = tuple[str, str, int, str]
COLUMNS: tuple[Column, ...] = (
    ("s", "seconds", 1, ".1f"),
    ("CPU s", "cpu seconds", 1, ".1f"),
    ("GiB", "peak bytes", GIB, ".2f"),
)
"""Unit, name in the record, number of the record's units in one of these, format. Older records have no CPU seconds."""


def block(document: Mapping[str, Any], name: str) -> str:
    """The block of docs/pairs.md on a record, in the form of one network (until 2026-11-24) or of several.

    Args:
        document: the record.
        name: name of the record's file.
    """
    command = " ".join([COMMAND, *document.get("pairs", {})])
    source = f"([record](../benchmarks/records/{name}), made by `{command}`)"
    cores = document["hardware"]["cores"]
    return (table if "pairs" in document else _sentence)(document, source, cores)


def _sentence(document: Mapping[str, Any], source: str, cores: int) -> str:
    check, ratio = document["check, seconds"], document["ratio"]
    plain = sum(document["plain passes, seconds"].values())
    return fill(
        f"ResNet-50 (25.6 million parameters, batch 2, 64×64) on {cores} cores, nothing compiled before: "
        f"{check['without probes']:.0f} s, {check['with probes']:.0f} s with the probes. The four plain forward and "
        f"backward passes that a check needs, each framework in both precisions, take {plain:.1f} s, nearly all of it "
        f"XLA's compiling: {ratio['without probes']:.1f} and {ratio['with probes']:.1f} times that {source}. "
        "That record is older than the layers fed alone, two forward passes a side, which took 9 % of the check "
        "without the probes (22 of 242 s, on a machine that was busy with other things).",
        **WRAPPED,
    )


def table(document: Mapping[str, Any], source: str, cores: int) -> str:
    busy = " Other processes kept the machine busy meanwhile." if document["busy"] else ""
    about = fill(
        f"On {cores} cores, nothing compiled before. Plain are the four forward and backward passes in training that a "
        "check needs, each framework in both precisions, compiling included; × is times those. Memory is the peak of a "
        f"process of its own, both frameworks loaded {source}.{busy}",
        **WRAPPED,
    )
    columns = [column for column in COLUMNS if all(column[1] in pair["plain"] for pair in document["pairs"].values())]
    units = [f"{what}, {unit}" for unit, *_ in columns for what in ("plain", "check", "with probes")]
    head = ("pair", "parameters", *units)
    rows = [_row(name, pair, columns) for name, pair in document["pairs"].items()]
    return "\n".join([about, "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *rows])


def _row(name: str, pair: Mapping[str, Mapping[str, Any]], columns: Sequence[Column]) -> str:
    cells = []
    for _, key, scale, form in columns:
        plain = pair["plain"][key]
        cells.append(f"{plain / scale:{form}}")
        cells += [_cell(pair.get(what), key, scale, form, plain) for what in ("check", "probes")]
    return f"| {name} | {pair['plain']['parameters']:,} | {' | '.join(cells)} |"


def _cell(costs: Mapping[str, Any] | None, key: str, scale: int, form: str, plain: float) -> str:
    return "–" if costs is None else f"{costs[key] / scale:{form}} ({costs[key] / plain:.1f} ×)"
