"""The record, which runs add to, and the tables that are made of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from typing_extensions import TypedDict

from benchmarks.speed.pages.table import markdown
from benchmarks.tpu.chips import CHIPS, GIB, PASSES, Chip
from benchmarks.tpu.estimate import Estimate
from benchmarks.tpu.workloads import WORKLOADS
from parity import documents
from parity.documents import Count, Positive, Whole
from parity.errors import unknown_name
from parity.files import write_atomically

LABEL = "compiler estimate"
SHOWN = ("v5e", "highest", "fast")
"""Chip, precision and effort of the rows that stand on the page."""
KNOWN: Mapping[str, Mapping[str, Any]] = {"chip": CHIPS, "precision": PASSES, "workload": WORKLOADS}


class Cycles(TypedDict):
    """That a product takes, by precision."""

    default: Count
    high: Count
    highest: Count


HEADER = (
    "chip",
    "precision",
    "effort",
    "fits",
    "needs",
    "left",
    "product FLOPs",
    "all FLOPs",
    "HBM bytes",
    "lower bound",
    "estimate",
    "cycles",
    "compiled in",
)
Record = dict[str, Any]


class ChipLimits(TypedDict):
    """A chip as the compiler sees it."""

    available_bytes: Whole
    flops_per_second: Positive
    bytes_per_second: Positive
    cycles: Cycles


class Kept(TypedDict):
    """A record as it is read back."""

    label: Literal["compiler estimate"]
    runs: list[dict[str, Any]]
    chips: dict[str, ChipLimits]
    estimates: list[Estimate]
    failures: list[str]


def empty() -> Record:
    """A record without anything in it."""
    return {"label": LABEL, "runs": [], "chips": {}, "estimates": [], "failures": []}


def read(path: Path) -> Record:
    """The record at a path; an empty one where there is none.

    Raises:
        UsageError: what is there is no record.
    """
    if not path.exists():
        return empty()
    found = documents.read(path, Kept, "name another --json, or remove it")
    require_known(path, [{"chip": name} for name in found["chips"]])
    require_known(path, found["estimates"])
    return found


def require_known(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Raise UsageError where a row's step, chip or precision is none of ours."""
    for what, name in ((key, row[key]) for row in rows for key in KNOWN if key in row):
        if name not in KNOWN[what]:
            raise unknown_name(f"{what} in {path}", name, KNOWN[what])


def estimates(record: Record) -> list[Estimate]:
    """Its estimates."""
    return [Estimate(**row) for row in record["estimates"]]


def add(record: Record, found: Iterable[Any], rows: str = "estimates") -> None:
    """Put estimates in the place of those of the same step, chip, precision and effort."""
    kept = {_key(row): row for row in [*record[rows], *map(asdict, found)]}
    record[rows] = list(kept.values())


def write(record: Record, path: Path, rows: str = "estimates") -> None:
    """Write it, one estimate a line."""
    text = json.dumps({**record, rows: [], "runs": []}, indent=1)
    for name in ("runs", rows):
        lines = ",\n  ".join(json.dumps(row) for row in record[name])
        text = text.replace(f'"{name}": []', f'"{name}": [\n  {lines}\n ]' if lines else f'"{name}": []')
    write_atomically(path, text + "\n")


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("workload", "chip", "precision", "effort", "chips", "batch"))


def table(found: Sequence[Estimate]) -> str:
    """One step on every chip, as Markdown; every number is a compiler estimate."""
    return markdown(HEADER, [_cells(one) for one in found])


def _cells(one: Estimate) -> list[str]:
    bound = f"{one.roofline_by} {time(one.roofline_seconds)}" if one.roofline_by else "–"
    return [
        one.chip,
        one.precision,
        one.effort,
        "yes" if one.fits else "**no**",
        size(one.needed_bytes),
        size(one.margin_bytes),
        count(one.matrix_flops),
        count(one.flops),
        size(one.hbm_bytes),
        bound,
        time(one.optimal_seconds),
        count(one.estimated_cycles if one.effort == "default" else None),
        f"{one.compile_seconds:.1f} s",
    ]


def chips_table(seen: Mapping[str, Mapping[str, Any]]) -> str:
    """The chips as their maker describes them and as the compiler sees them."""
    header = ("chip", "JAX device", "public peak, HBM, bandwidth", "the compiler's", "cycles of high, highest")
    return markdown(header, [_chip(name, CHIPS[name], found) for name, found in seen.items()])


def _chip(name: str, chip: Chip, found: Mapping[str, Any]) -> list[str]:
    cycles, memory = found["cycles"], chip.hbm_bytes / chip.devices
    public = _figures(chip.device_flops, memory, chip.device_bandwidth)
    ratios = ", ".join(f"{cycles[precision] / cycles['default']:.1f} ×" for precision in ("high", "highest"))
    return [
        name,
        f"{chip.kind}{', half a chip' if chip.devices == 2 else ''}",
        f"[{public}]({chip.source})",
        _figures(found["flops_per_second"], found["available_bytes"], found["bytes_per_second"]),
        ratios,
    ]


def _figures(flops: float, memory: float, bandwidth: float) -> str:
    return f"{flops / 1e12:.4g} TFLOP/s, {memory / GIB:.4g} GiB, {bandwidth / 1e9:.4g} GB/s"


def _place(one: Estimate) -> tuple[bool, int, int]:
    return one.effort == "default", [*CHIPS].index(one.chip), [*PASSES].index(one.precision)


def size(number: float | None) -> str:
    """Bytes in the largest unit that leaves at least 1, of 1024s."""
    return "–" if number is None else _scaled(number, 1024, ("B", "KiB", "MiB", "GiB"))


def count(number: float | None) -> str:
    """A number in thousands, millions, …"""
    return "–" if number is None else _scaled(number, 1000, ("", "k", "M", "G", "T"))


def time(seconds: float | None) -> str:
    """Seconds in microseconds or milliseconds."""
    return "–" if seconds is None else _scaled(seconds * 1e9, 1000, ("ns", "µs", "ms", "s"))


def _scaled(number: float, base: int, units: Sequence[str]) -> str:
    power = 0
    while abs(number) >= base and power < len(units) - 1:
        number, power = number / base, power + 1
    return f"{number:.3g} {units[power]}".strip()


def tables(record: Record) -> list[str]:
    """The chips, then every step on every chip; these lie beside the record."""
    rows = sorted(estimates(record), key=_place)
    steps = [step for step in WORKLOADS if any(row.workload == step for row in rows)]
    parts = [f"## The chips\n\n{chips_table(record['chips'])}"]
    parts += [f"## {step} ({LABEL}s)\n\n{table([row for row in rows if row.workload == step])}" for step in steps]
    return [*parts, *(f"Failed, and not above: {failure}" for failure in record["failures"])]


def page(record: Record) -> dict[str, str]:
    """The block of docs/tpu.md: a row for each step on one chip, in the precision of the parity checks."""
    rows = [row for row in estimates(record) if (row.chip, row.precision, row.effort) == SHOWN]
    head = ("step", "fits", "needs", "left", "product FLOPs", "lower bound", "estimate")
    ordered = sorted(rows, key=lambda row: [*WORKLOADS].index(row.workload))
    return {"estimates": markdown(head, [[row.workload, *_shown(row)] for row in ordered])}


def _shown(row: Estimate) -> list[str]:
    cells = dict(zip(HEADER, _cells(row), strict=True))
    return [cells[name] for name in ("fits", "needs", "left", "product FLOPs", "lower bound", "estimate")]
