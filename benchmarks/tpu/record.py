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
    """The cycles that a product takes, by precision."""

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
    """The limits of a chip in the compiler's own model."""

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
    """Read the record at a path; an empty one where there is none.

    Raises:
        UsageError: the file is no such record.
    """
    if not path.exists():
        return empty()
    record = documents.read(path, Kept, "name another --json, or remove it")
    require_known(path, [{"chip": name} for name in record["chips"]])
    require_known(path, record["estimates"])
    return record


def require_known(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Raise UsageError where a row has an unknown step, chip or precision."""
    for what, name in ((key, row[key]) for row in rows for key in KNOWN if key in row):
        if name not in KNOWN[what]:
            raise unknown_name(f"{what} in {path}", name, KNOWN[what])


def estimates(record: Record) -> list[Estimate]:
    """The estimates of a record."""
    return [Estimate(**row) for row in record["estimates"]]


def add(record: Record, results: Iterable[Any], rows: str = "estimates") -> None:
    """Put estimates into a record, in the place of those of the same step, chip, precision, effort, chips and batch."""
    kept = {_key(row): row for row in [*record[rows], *map(asdict, results)]}
    record[rows] = list(kept.values())


def write(record: Record, path: Path, rows: str = "estimates") -> None:
    """Write a record to a file, with one estimate on a line."""
    text = json.dumps({**record, rows: [], "runs": []}, indent=1)
    for name in ("runs", rows):
        lines = ",\n  ".join(json.dumps(row) for row in record[name])
        text = text.replace(f'"{name}": []', f'"{name}": [\n  {lines}\n ]' if lines else f'"{name}": []')
    write_atomically(path, text + "\n")


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("workload", "chip", "precision", "effort", "chips", "batch"))


def table(rows: Sequence[Estimate]) -> str:
    """A Markdown table with a row for each estimate; every number is a compiler estimate."""
    return markdown(HEADER, [_cells(row) for row in rows])


def _cells(row: Estimate) -> list[str]:
    bound = f"{row.roofline_by} {time(row.roofline_seconds)}" if row.roofline_by else "–"
    return [
        row.chip,
        row.precision,
        row.effort,
        "yes" if row.fits else "**no**",
        size(row.needed_bytes),
        size(row.margin_bytes),
        count(row.matrix_flops),
        count(row.flops),
        size(row.hbm_bytes),
        bound,
        time(row.optimal_seconds),
        count(row.estimated_cycles if row.effort == "default" else None),
        f"{row.compile_seconds:.1f} s",
    ]


def chips_table(chips: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of the chips by their maker's figures and by the compiler's own model."""
    header = ("chip", "JAX device", "public peak, HBM, bandwidth", "the compiler's", "cycles of high, highest")
    return markdown(header, [_chip(name, CHIPS[name], limits) for name, limits in chips.items()])


def _chip(name: str, chip: Chip, limits: Mapping[str, Any]) -> list[str]:
    cycles, memory = limits["cycles"], chip.hbm_bytes / chip.devices
    public = _figures(chip.device_flops, memory, chip.device_bandwidth)
    ratios = ", ".join(f"{cycles[precision] / cycles['default']:.1f} ×" for precision in ("high", "highest"))
    return [
        name,
        f"{chip.kind}{', half a chip' if chip.devices == 2 else ''}",
        f"[{public}]({chip.source})",
        _figures(limits["flops_per_second"], limits["available_bytes"], limits["bytes_per_second"]),
        ratios,
    ]


def _figures(flops: float, memory: float, bandwidth: float) -> str:
    return f"{flops / 1e12:.4g} TFLOP/s, {memory / GIB:.4g} GiB, {bandwidth / 1e9:.4g} GB/s"


def _place(row: Estimate) -> tuple[bool, int, int]:
    return row.effort == "default", [*CHIPS].index(row.chip), [*PASSES].index(row.precision)


def size(number: float | None) -> str:
    """A number of bytes as text, in the largest unit (of 1024s) that leaves at least 1."""
    return "–" if number is None else _scaled(number, 1024, ("B", "KiB", "MiB", "GiB"))


def count(number: float | None) -> str:
    """A number as text, in thousands, millions and so on."""
    return "–" if number is None else _scaled(number, 1000, ("", "k", "M", "G", "T"))


def time(seconds: float | None) -> str:
    """Seconds as text, in nanoseconds to seconds."""
    return "–" if seconds is None else _scaled(seconds * 1e9, 1000, ("ns", "µs", "ms", "s"))


def _scaled(number: float, base: int, units: Sequence[str]) -> str:
    power = 0
    while abs(number) >= base and power < len(units) - 1:
        number, power = number / base, power + 1
    return f"{number:.3g} {units[power]}".strip()


def tables(record: Record) -> list[str]:
    """The parts of the file beside the record: the chips, then every step on every chip."""
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
    return {"estimates": markdown(head, [[row.workload, *_page_cells(row)] for row in ordered])}


def _page_cells(row: Estimate) -> list[str]:
    cells = dict(zip(HEADER, _cells(row), strict=True))
    return [cells[name] for name in ("fits", "needs", "left", "product FLOPs", "lower bound", "estimate")]
