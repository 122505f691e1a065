"""The block of docs/devices.md on scaling, from the newest record: `python -m benchmarks.scaling.page [--check]`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Literal

from typing_extensions import TypedDict

from benchmarks import ROOT
from benchmarks.pages.blocks import beside, update
from benchmarks.speed import stats
from benchmarks.speed.pages.table import NONE, markdown
from parity import documents
from parity.documents import Count, NotNegative, Positive
from parity.errors import UsageError

PAGE = ROOT / "docs" / "devices.md"
COMMAND = "python -m benchmarks.scaling.page"
HEAD = (
    "network", "framework", "devices", "cores", "strong: batch", "examples/s", "of ideal", "weak: batch", "examples/s",
    "of ideal",
)  # fmt: skip
Record = Mapping[str, Any]


class Turn(TypedDict):
    """A turn of a case in one process."""

    framework: Literal["jax", "torch"]
    scaling: Literal["one device", "strong", "weak"]
    workload: Literal["mlp", "vgg-32"]
    batch: Count
    devices: Count
    seconds_per_step: Positive
    others_before: NotNegative | None


class Kept(TypedDict):
    """A record as it is read back."""

    command: str
    cores: Count
    turns: list[Turn]


def newest() -> Path:
    """The path of the newest record."""
    return max((ROOT / "benchmarks" / "records").glob("*-scaling.json"))


def read(path: Path) -> dict[str, Any]:
    """The record at a path.

    Raises:
        UsageError: it cannot be read, or is no record of scaling.
    """
    document = documents.read(path, Kept, "make it anew by python -m benchmarks.scaling.measure --json FILE")
    for turn in document["turns"]:
        if not _of(document, turn["framework"], turn["workload"], "one device", 1):
            raise UsageError(
                f"{path} has no turn of {turn['workload']} on one device in {turn['framework']}; make it anew"
            )
    return document


def table(record: Record) -> str:
    """A table with a row for each network, framework and number of devices: examples a second, and share of the ideal.

    The ideal is that of as many cores, each as fast as one device on one core.
    """
    keys = dict.fromkeys((row["workload"], row["framework"], row["devices"]) for row in record["turns"])
    return markdown(HEAD, [_row(record, *key) for key in keys])


def _row(record: Record, name: str, framework: str, devices: int) -> list[str]:
    cores = min(devices, record["cores"])
    single = _speed(_of(record, framework, name, "one device", 1))
    cells = []
    for scaling in ("strong", "weak") if devices > 1 else ("one device", "one device"):
        turns = _of(record, framework, name, scaling, devices)
        cells += (
            [f"{turns[0]['batch']:,}", _spread(turns), f"{_speed(turns) / (single * cores):.0%}"]
            if turns
            else [NONE] * 3
        )
    return [name, framework, str(devices), str(cores), *cells]


def _of(record: Record, framework: str, name: str, scaling: str, devices: int) -> list[Turn]:
    wanted = (framework, name, scaling, devices)
    return [t for t in record["turns"] if (t["framework"], t["workload"], t["scaling"], t["devices"]) == wanted]


def _speeds(turns: Sequence[Turn]) -> list[float]:
    return [turn["batch"] / turn["seconds_per_step"] for turn in turns]


def _speed(turns: Sequence[Turn]) -> float:
    return median(_speeds(turns))


def _spread(turns: Sequence[Turn]) -> str:
    figures = stats.spread(_speeds(turns))
    return f"{figures['median']:,.0f} ({figures['min']:,.0f} to {figures['max']:,.0f})"


def summary(record: Record) -> str:
    """A table with a row for each network and framework.

    It has the examples a second on one device, and the share of the ideal on several, strong and weak.
    """
    keys = dict.fromkeys((row["workload"], row["framework"]) for row in record["turns"])
    several = sorted({row["devices"] for row in record["turns"] if row["devices"] > 1})
    head = ("network", "framework", "examples/s on 1", *(f"{s}, {n}" for s in ("strong", "weak") for n in several))
    return markdown(head, [_summed(record, *key, several) for key in keys])


def _summed(record: Record, name: str, framework: str, several: Sequence[int]) -> list[str]:
    single = _speed(_of(record, framework, name, "one device", 1))
    shares = []
    for scaling in ("strong", "weak"):
        for devices in several:
            turns = _of(record, framework, name, scaling, devices)
            shares.append(f"{_speed(turns) / (single * min(devices, record['cores'])):.0%}" if turns else NONE)
    return [name, framework, f"{single:,.0f}", *shares]


def block(record: Record, name: str) -> str:
    """The block of docs/devices.md: the summary, the way it was measured, and a link to every case.

    Args:
        record: the record.
        name: name of the record's file.
    """
    place = f"../benchmarks/records/{name.removesuffix('.json')}.md"
    return (
        f"{summary(record)}\n\n{_about(record)} [The examples a second of every case]({place}) lie beside the record."
    )


def _about(record: Record) -> str:
    rounds = min(len(_of(record, t["framework"], t["workload"], t["scaling"], t["devices"])) for t in record["turns"])
    others = [turn["others_before"] or 0.0 for turn in record["turns"]]
    return (
        f"Medians and extremes of {rounds} turns, each in a fresh process; float32, {record['cores']} cores. Just "
        f"before a turn others kept {median(others):.2f} cores busy at the median, {max(others):.2f} at most."
    )


def main(argv: list[str]) -> int:
    """Write the page, or check it; return the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where the page says something else")
    arguments = parser.parse_args(argv)
    try:
        path = newest()
        whole = beside("How training scales on the devices of one machine", path.name, COMMAND, *_whole(read(path)))
        tables = {path.with_suffix(".md"): whole}
        return update([PAGE], made(path), check=arguments.check, source=path.name, command=COMMAND, tables=tables)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2


def made(path: Path) -> dict[str, str]:
    """Name of a block of the page → its text, from the record at a path."""
    return {"scaling": block(read(path), path.name)}


def _whole(record: Record) -> tuple[str, str]:
    return table(record), _about(record)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
