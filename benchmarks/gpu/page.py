"""Writes the blocks of docs/gpu.md from the newest record of a GPU: `python -m benchmarks.gpu.page [--check]`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from typing_extensions import TypedDict

from benchmarks import ROOT
from benchmarks.gpu.parts import FULL, LIMIT, Part, parts
from benchmarks.gpu.run import FAILED
from benchmarks.pages.blocks import beside, update
from benchmarks.speed.pages import table
from benchmarks.speed.pages.table import NONE, digits, markdown
from parity import documents
from parity.documents import NotNegative
from parity.errors import UsageError

PAGE = ROOT / "docs" / "gpu.md"
COMMAND = "python -m benchmarks.gpu.page"
MAKE = "python -m benchmarks gpu"
WITHOUT = (
    "**No GPU has run this project yet: there is no record.** Where a GPU is at hand, `make gpu DATA=PLACE` makes one. "
    "All that the other pages say was measured on CPUs."
)


class Made(TypedDict):
    """The file of a part of a record."""

    part: str
    kind: str
    command: str
    seconds: NotNegative
    environment: dict[str, Any]
    result: Any


Record = Mapping[str, Made]


def newest(root: Path = ROOT) -> Path | None:
    """The folder of the newest record; None if there is none."""
    return max((root / "benchmarks" / "records").glob("*-gpu"), default=None)


def read(folder: Path) -> dict[str, Made]:
    """Name → part, of those of a record that are there.

    Raises:
        UsageError: a file is no part of a record.
    """
    remedy = f"remove it, and make it anew with {MAKE}"
    return {path.stem: documents.read(path, Made, remedy) for path in sorted(folder.glob("*.json"))}


def blocks(folder: Path | None) -> dict[str, str]:
    """Name of a block → its text."""
    return {"gpu-parts": planned(wanted()), "gpu-record": WITHOUT if folder is None else "\n\n".join(shown(folder))}


def wanted() -> list[Part]:
    """The parts of a whole record."""
    return parts(FULL, "gpu", "RUNS", "PLACE")


def planned(every: Sequence[Part]) -> str:
    """A table of the kinds of parts, with their number, and the minutes that they are estimated to take."""
    kinds = dict.fromkeys(part.kind for part in every)
    rows = []
    for kind in kinds:
        those = [part for part in every if part.kind == kind]
        first = f"`{those[0].name}`" + (f" … `{those[-1].name}`" if len(those) > 1 else "")
        rows.append([kind, str(len(those)), f"{sum(part.minutes for part in those):g}", first])
    total = sum(part.minutes for part in every)
    head = ("kind", "parts", "minutes, estimated", "names")
    limit = f"no part may take more than {LIMIT / 60:.0f} minutes"
    return f"{markdown(head, rows)}\n\n{len(every)} parts, about {total / 60:.1f} hours, an estimate; {limit}."


def shown(folder: Path) -> list[str]:
    """The record as Markdown: what is there, then a section for each kind of part that has some."""
    record = read(folder)
    sections = (_machine, _parity, _together, _speed, _training)
    return [_there(record, folder), *(text for section in sections if (text := section(record)))]


def _there(record: Record, folder: Path) -> str:
    names = [part.name for part in wanted()]
    missing = [name for name in names if name not in record]
    failed = sorted(path.name.removesuffix(FAILED) for path in folder.glob(f"*{FAILED}"))
    commits = ", ".join(dict.fromkeys(made["environment"]["commit"] for made in record.values()))
    lines = [f"{len(names) - len(missing)} of {len(names)} parts are there, made of commit {commits or NONE}."]
    lines += [f"Failed: {', '.join(failed)}."] if failed else []
    lines += [f"Missing: {', '.join(missing)}."] if missing else []
    return " ".join(lines)


def _of(record: Record, *kinds: str) -> list[Made]:
    return [made for made in record.values() if made["kind"] in kinds]


def _machine(record: Record) -> str:
    lines = []
    for made in _of(record, "machine"):
        gpus = [", ".join(f"{key} {value}" for key, value in gpu.items()) for gpu in made["result"]["gpus"]]
        versions = ", ".join(f"{name} {version}" for name, version in made["environment"]["versions"].items())
        cpu = made["environment"]["hardware"]
        lines += [f"- GPU: {gpu}" for gpu in gpus or ["none"]]
        lines += [f"- beside it: {cpu['cores']} cores of {cpu['cpu']}", f"- versions: {versions}"]
    return "\n".join(lines)


def _parity(record: Record) -> str:
    rows = [_row(report) for made in _of(record, "parity", "pair") for report in made["result"]]
    head = (
        "network",
        "device",
        "verdict",
        "rungs that are not the same",
        "comparisons",
        "largest gap, × rounding",
        "cause",
    )
    return f"### Parity on the device\n\n{markdown(head, rows)}" if rows else ""


def _row(report: Mapping[str, Any]) -> list[str]:
    share = NONE if report["share"] is None else f"{report['share']:.2g}"
    name, seen = report["name"].rpartition(":")[2], (report["device"], report["verdict"], _rungs(report))
    return [f"`{name}`", *seen, str(report["comparisons"]), share, report["cause"] or NONE]


def _rungs(report: Mapping[str, Any]) -> str:
    odd = [f"{number} {verdict}" for number, verdict in report["rungs"].items() if not verdict.startswith("same")]
    return ", ".join(odd) or NONE


def _together(record: Record) -> str:
    results = [made["result"] for made in _of(record, "together")]
    rows = [
        [r["framework"], r["by"], f"`{r['recipe']}`", r["verdict"], str(sum(r["findings"].values())), str(r["steps"])]
        for r in results
    ]
    head = ("framework", "by", "network", "against plain training", "comparisons", "steps")
    return f"### Data-parallel on one device\n\n{markdown(head, rows)}" if rows else ""


def _speed(record: Record) -> str:
    runs = [made["result"] for made in _of(record, "speed")]
    lines = []
    for precision in dict.fromkeys(run["request"]["precision"] for run in runs):
        rows = [line for run in runs if run["request"]["precision"] == precision for line in _headline(run)]
        head = ("workload", "Flax, ms a step", "PyTorch, ms a step", "PyTorch / Flax", "of the floor", "bound")
        lines.append(f"### A training step in {precision}\n\n{markdown(head, rows)}")
    return "\n\n".join(lines)


def _headline(run: Mapping[str, Any]) -> list[list[str]]:
    """The rows of a run of our own loops; none of a run of peers, which times ours a second time."""
    if any(name.startswith("torch-eager") for part in run["workloads"].values() for name in part["proofs"]):
        return [
            [cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.headline(run).splitlines()[2:]
        ]
    return []


def _training(record: Record) -> str:
    """A row for each framework: accuracies of the newest stretch of every seed, with the energy of all stretches."""
    by: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
    for made in _of(record, "training"):
        result = made["result"]
        by.setdefault(result["backend"], {}).setdefault(result["seed"], []).append(result)
    rows = []
    for backend, seeds in by.items():
        last = [max(stretches, key=lambda stretch: stretch["steps"]) for stretches in seeds.values()]
        spent = [stretch["joules"] for stretches in seeds.values() for stretch in stretches]
        tested = [stretch["test"]["accuracy"] for stretch in last if stretch.get("test")]
        rows.append(
            [
                backend, f"`{last[0]['recipe']}`", last[0]["data"], str(len(last)),
                ", ".join(sorted({f"{stretch['steps']:,}" for stretch in last})), _accuracies(tested),
                f"{fmean(stretch['seconds'] for stretch in last):,.0f}",
                NONE if None in spent else digits(sum(spent) / len(last) / 1e3),
            ]
        )  # fmt: skip
    head = ("framework", "network", "images", "seeds", "steps", "test accuracy", "seconds of training", "kJ a run")
    return f"### Training\n\n{markdown(head, rows)}" if rows else ""


def _accuracies(values: Sequence[float]) -> str:
    return f"{fmean(values):.2%} ({min(values):.2%} to {max(values):.2%})" if values else NONE


def whole(folder: Path) -> str:
    """The file of tables beside the record: every contestant of every run."""
    runs = [made["result"] for made in read(folder).values() if made["kind"] == "speed"]
    tables = [f"## {run['request']['precision']}\n\n{table.table(run)}" for run in runs]
    return beside("What a GPU did", "machine.json", COMMAND, *shown(folder), *tables)


def main(argv: list[str]) -> int:
    """Write the page, or check it; return the exit code, 1 where it differs."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where the page says something else")
    arguments = parser.parse_args(argv)
    try:
        folder = newest()
        tables = {} if folder is None else {folder / "README.md": whole(folder)}
        source = "the plan of the parts" if folder is None else folder.name
        return update([PAGE], blocks(folder), check=arguments.check, source=source, command=COMMAND, tables=tables)
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
